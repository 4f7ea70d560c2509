#include "penstock/ipc/packing.hpp"

#include <cstdint>

namespace penstock {
namespace {

std::optional<double> ratio(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Packing packing_of(const Counters& c) {
  const std::uint64_t room = c[Counter::payload_bytes] + c[Counter::padding_bytes];
  return {.fill = ratio(c[Counter::payload_bytes], room),
          .packets = ratio(c[Counter::packed_bytes], room),
          .packets_a_frame =
              ratio(c[Counter::packed], c[Counter::frames_sealed] - c[Counter::dummy_frames])};
}

}  // namespace penstock
