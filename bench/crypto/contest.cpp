#include "contest.hpp"

namespace penstock::bench {

Contest::Contest(FramePool& pool, std::size_t batch)
    : pool_(pool), frames_(pool.frames().first(pool.frames().size() / batch * batch)) {}

std::size_t Contest::add(Way way) {
  std::string name = way.name;
  return Turns::add(std::move(name), [this, way = std::move(way)] { return seconds_of_pass(way); });
}

double Contest::seconds_of_pass(const Way& way) {
  if (way.received != nullptr) pool_.copy_from(*way.received);
  return seconds_of([&] { way.pass(frames_); }) / static_cast<double>(frames_.size());
}

}  // namespace penstock::bench
