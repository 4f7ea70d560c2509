// A far site's virtio-net header and packet: whatever comes of them keeps the rules that
// the kernel's answer depends on. Input: 10 bytes of header, then the packet.
#include "fuzz.hpp"
#include "penstock/wire/virtio_net.hpp"

using namespace penstock;

namespace {

void require_segmentation_fits(Bytes packet, const VirtioNetHeader& header) {
  const auto type = static_cast<std::uint8_t>(header.gso_type & ~VirtioNetHeader::gso_ecn);
  const bool is_udp = type == VirtioNetHeader::gso_udp_l4;
  fuzz::require(is_udp || type == VirtioNetHeader::gso_tcp4 || type == VirtioNetHeader::gso_tcp6);
  fuzz::require(header.csum_offset == (is_udp ? 6 : 16));
  fuzz::require(!is_udp || type == header.gso_type);
  const std::size_t payload = packet.size() - header.header_length;
  fuzz::require(header.gso_size >= 256 && payload > header.gso_size);
  fuzz::require(payload <= std::size_t{128} * header.gso_size);
}

void require_finishable(Bytes packet, const VirtioNetHeader& header) {
  fuzz::require(header.flags == VirtioNetHeader::needs_csum);
  fuzz::require(header.csum_offset == 6 || header.csum_offset == 16);
  fuzz::require(header.csum_start >= 34);
  fuzz::require(std::size_t{header.csum_start} + header.csum_offset + 2 <= packet.size());
  fuzz::require(header.header_length <= packet.size());
  fuzz::require(header.header_length >= header.csum_start + header.csum_offset + 2);
  if (header.gso_type == VirtioNetHeader::gso_none) {
    fuzz::require(header.gso_size == 0);
  } else {
    require_segmentation_fits(packet, header);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < limits::virtio_net_header) return 0;
  const Bytes input = fuzz::bytes(data, size);
  const auto claimed = read_virtio_net(input.first<limits::virtio_net_header>());
  const Bytes packet = input.subspan(limits::virtio_net_header);
  const auto header = rebuild_virtio_net(packet, claimed);
  if (!header) return 0;
  if (claimed.is_finished()) {
    fuzz::require(*header == VirtioNetHeader{});
    return 0;
  }
  require_finishable(packet, *header);
  fuzz::require(rebuild_virtio_net(packet, *header) == header);  // nothing is left to mend
  return 0;
}
