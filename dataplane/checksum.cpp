#include "dataplane/checksum.hpp"

#include "penstock/wire/outer.hpp"

namespace penstock::dataplane {

std::optional<FinishedChecksum> finish_checksum(Bytes packet, const VirtioNetHeader& offload) {
  const std::size_t at = std::size_t{offload.csum_start} + offload.csum_offset;
  if (at + 2 > packet.size()) return std::nullopt;
  std::uint16_t value = internet_checksum(packet.subspan(offload.csum_start));
  // UDP sends 0 as 0xffff since 0 means "none" (RFC 768); in one's complement both are zero,
  // so TCP's receivers do not mind.
  if (value == 0) value = 0xffff;
  return FinishedChecksum{.at = at, .value = value};
}

}  // namespace penstock::dataplane
