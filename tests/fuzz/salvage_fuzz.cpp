// A large TCP packet with holes: whatever is in it, the payload that is handed out stands at its
// place in the packet, outside the holes, in order and whole segments at a time; and every segment
// that is whole is handed out. Input: the number of holes, two bytes each for where they begin and
// how long they are, then the block.
#include "penstock/wire/salvage.hpp"

#include <algorithm>
#include <vector>

#include "fuzz.hpp"

using namespace penstock;

namespace {

constexpr std::size_t ahead = limits::virtio_net_header;

std::vector<Hole> holes_in(Bytes said, std::size_t block) {
  std::vector<Hole> holes;
  std::size_t at = 0;
  for (; said.size() >= 4; said = said.subspan(4)) {
    const std::size_t from = at + load_be16(said.data()) + (holes.empty() ? 0 : 1);
    const std::size_t to = from + load_be16(&said[2]) + 1;
    if (to > block) break;
    holes.push_back(
        {.from = static_cast<std::uint32_t>(from), .to = static_cast<std::uint32_t>(to)});
    at = to;
  }
  return holes;
}

// Headers as the packet's, by what salvage promises: rebuilt from the packet, if that is whole.
struct Shape {
  std::size_t headers = 0;
  std::size_t segment = 0;
};

Shape shape_of(Bytes block) {
  std::vector<std::byte> copy(block.begin(), block.end());
  const auto rebuilt = rebuild_virtio_net(MutableBytes{copy}.subspan(ahead),
                                          read_virtio_net(MutableBytes{copy}.first<ahead>()));
  fuzz::require(rebuilt.has_value());
  return {.headers = ahead + rebuilt->header_length, .segment = rebuilt->gso_size};
}

bool is_in_hole(std::size_t at, std::span<const Hole> holes) {
  return std::ranges::any_of(holes,
                             [at](const Hole& hole) { return at >= hole.from && at < hole.to; });
}

std::size_t whole_segments(const Shape& shape, std::size_t size, std::span<const Hole> holes) {
  std::size_t whole = 0;
  for (std::size_t from = shape.headers; from < size; from += shape.segment) {
    const std::size_t to = std::min(from + shape.segment, size);
    whole += std::ranges::none_of(
        holes, [&](const Hole& hole) { return hole.from < to && hole.to > from; });
  }
  return whole;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const Bytes input = fuzz::bytes(data + 1, size - 1);
  const std::size_t said = std::min(input.size(), std::size_t{4} * (data[0] % 8));
  const Bytes before = input.subspan(said);
  const std::vector<Hole> holes = holes_in(input.first(said), before.size());
  std::vector<std::byte> block(before.begin(), before.end());

  Salvage salvage{block, holes};
  std::size_t next = 0;  // of the block's bytes: what is handed out next begins there at least
  std::size_t segments = 0;
  std::optional<Shape> shape;
  for (Bytes run = salvage.next(); !run.empty(); run = salvage.next()) {
    if (!shape) shape = shape_of(before);
    fuzz::require(fuzz::is_inside(run, block) && run.size() > shape->headers);
    const Bytes payload = run.subspan(shape->headers);
    const auto at = static_cast<std::size_t>(payload.data() - block.data());
    const std::size_t end = at + payload.size();
    fuzz::require(at >= std::max(next, shape->headers));
    fuzz::require((at - shape->headers) % shape->segment == 0);
    fuzz::require((end - shape->headers) % shape->segment == 0 || end == block.size());
    for (std::size_t i = 0; i < payload.size(); ++i)
      fuzz::require(payload[i] == before[at + i] && !is_in_hole(at + i, holes));
    segments += (payload.size() + shape->segment - 1) / shape->segment;
    next = end;
  }
  if (shape) fuzz::require(segments == whole_segments(*shape, block.size(), holes));
  fuzz::require(salvage.next().empty());
  return 0;
}
