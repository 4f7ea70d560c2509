#include "raw_ways.hpp"

#include <memory>

#include "raw_aead.hpp"
#include "raw_hmac.hpp"

namespace penstock::bench {
namespace {

template <class Raw>
Way way(const Manager& manager, const char* form, std::size_t batch, std::shared_ptr<Raw> raw,
        void (Raw::*call)(Frames)) {
  return {manager.name + form,
          in_batches(batch, [raw = std::move(raw), call](Frames frames, std::size_t) {
            ((*raw).*call)(frames);
          })};
}

}  // namespace

std::vector<Way> raw_ways(const std::vector<Manager>& managers, Protection protection,
                          FrameShape shape, Direction direction, std::size_t batch) {
  std::vector<Way> ways;
  if (is_aead(protection)) {
    const Manager& manager = managers.front();
    const auto raw = std::make_shared<RawAead>(manager, protection, shape, direction);
    ways.push_back(way(manager, "-direct", batch, raw, &RawAead::direct));
    ways.push_back(way(manager, "-jobs", batch, raw, &RawAead::jobs));
    ways.push_back(way(manager, "-burst", batch, raw, &RawAead::burst));
  } else if (protection != Protection::none) {
    for (const Manager& manager : managers) {
      const auto raw = std::make_shared<RawHmac>(manager, protection, shape, direction);
      ways.push_back(way(manager, "-passes", batch, raw, &RawHmac::both));
      ways.push_back(way(manager, "-chained", batch, raw, &RawHmac::chained));
    }
  }
  return ways;
}

}  // namespace penstock::bench
