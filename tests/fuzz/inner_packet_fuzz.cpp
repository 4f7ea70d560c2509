// A packet of a host inside: whatever is in it, it gets a class, and a mark changes its ECN bits
// and the checksum over them alone. Input: a byte for the kind of block, then the block.
#include "penstock/wire/inner_packet.hpp"

#include <vector>

#include "fuzz.hpp"
#include "penstock/wire/outer.hpp"

using namespace penstock;

namespace {

// Two bytes of an IPv4 header (TOS; checksum) or one of an IPv6 header.
void require_only_a_mark(Bytes before, Bytes after) {
  std::vector<std::size_t> changed;
  for (std::size_t i = 0; i < before.size(); ++i)
    if (before[i] != after[i]) changed.push_back(i);
  if (changed.empty()) return;
  const std::size_t at = changed[0] - 1;  // of the IP header
  const bool is_v4 = load_u8(&before[at]) >> 4 == 4;
  const std::byte flipped = before[changed[0]] ^ after[changed[0]];
  fuzz::require((flipped & ~(is_v4 ? std::byte{0x03} : std::byte{0x30})) == std::byte{0});
  fuzz::require(changed.size() <= (is_v4 ? 3 : 1));
  for (const std::size_t place : std::span{changed}.subspan(1))
    fuzz::require(place == at + 10 || place == at + 11);
  if (!is_v4) return;
  const Bytes header = before.subspan(at, std::size_t{4} * (load_u8(&before[at]) & 0x0f));
  const bool was_right = internet_checksum(header) == 0;
  fuzz::require(!was_right || internet_checksum(after.subspan(at, header.size())) == 0);
}

void require_classes(Bytes packet) {
  fuzz::require(static_cast<std::size_t>(class_by_dscp(packet)) < packet_classes);
  fuzz::require(static_cast<std::size_t>(class_by_priority(packet)) < packet_classes);
  fuzz::require(dscp_in(packet) < 64);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto kind = static_cast<BlockKind>(data[0] % 6);
  const Bytes block = fuzz::bytes(data + 1, size - 1);
  require_classes(block);

  std::vector<std::byte> copy(block.begin(), block.end());
  const bool is_marked = mark_ce(kind, copy);
  require_only_a_mark(block, copy);
  fuzz::require(is_marked || std::equal(copy.begin(), copy.end(), block.begin()));
  std::vector<std::byte> again = copy;
  fuzz::require(mark_ce(kind, again) == is_marked && again == copy);
  return 0;
}
