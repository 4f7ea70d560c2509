#include "penstock/wire/salvage.hpp"

#include <algorithm>
#include <cstring>

#include "penstock/wire/outer.hpp"

namespace penstock {
namespace {

constexpr std::size_t ahead = limits::virtio_net_header;
constexpr std::size_t v4_length_at = 2;
constexpr std::size_t v4_id_at = 4;
constexpr std::size_t v4_checksum_at = 10;
constexpr std::size_t v6_length_at = 4;
constexpr std::size_t tcp_sequence_at = 4;
constexpr std::size_t tcp_flags_at = 13;
constexpr std::size_t tcp_checksum_at = 16;
constexpr std::uint8_t fin_and_psh = 0x09;  // of the last segment only
constexpr std::uint8_t cwr = 0x80;          // of the first (RFC 3168 section 6.1.2)

bool is_v4(const VirtioNetHeader& header) {
  return (header.gso_type & ~VirtioNetHeader::gso_ecn) == VirtioNetHeader::gso_tcp4;
}

bool is_tcp(const VirtioNetHeader& header) {
  const int type = header.gso_type & ~VirtioNetHeader::gso_ecn;
  return type == VirtioNetHeader::gso_tcp4 || type == VirtioNetHeader::gso_tcp6;
}

// Behind the Ethernet header and its tags, which a packet that was parsed before has whole.
std::size_t network_of(const std::byte* packet) {
  std::size_t at = ethertype_at;
  while (is_vlan_tag(load_be16(packet + at))) at += vlan_tag;
  return at + 2;
}

// One's complement: the sum at `at` with a word in it replaced (RFC 1624, whose sums are inverted).
void replace_in_sum(std::byte* at, std::uint16_t before, std::uint16_t after) {
  std::uint32_t sum = load_be16(at) + std::uint32_t{static_cast<std::uint16_t>(~before)} + after;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  store_be16(at, static_cast<std::uint16_t>(sum));
}

void set_word_of_v4(std::byte* ip, std::size_t at, std::uint16_t value) {
  std::byte* const sum = ip + v4_checksum_at;
  store_be16(sum, static_cast<std::uint16_t>(~load_be16(sum)));
  replace_in_sum(sum, load_be16(ip + at), value);
  store_be16(sum, static_cast<std::uint16_t>(~load_be16(sum)));
  store_be16(ip + at, value);
}

void shorten(std::byte* ip, const VirtioNetHeader& offload, std::uint16_t removed) {
  if (is_v4(offload)) {
    set_word_of_v4(ip, v4_length_at,
                   static_cast<std::uint16_t>(load_be16(ip + v4_length_at) - removed));
  } else {
    store_be16(ip + v6_length_at,
               static_cast<std::uint16_t>(load_be16(ip + v6_length_at) - removed));
  }
}

}  // namespace

Salvage::Salvage(MutableBytes block, std::span<const Hole> holes) : block_(block), holes_(holes) {
  if (!prepare()) segments_ = 0;
}

bool Salvage::prepare() {
  if (holes_.empty() || block_.size() < ahead + ethernet_header) return false;
  const auto rebuilt =
      rebuild_virtio_net(block_.subspan(ahead), read_virtio_net(block_.first<ahead>()));
  if (!rebuilt || !is_tcp(*rebuilt)) return false;
  offload_ = *rebuilt;
  // The parse above has read nothing but headers; were they whole?
  const std::size_t headers = ahead + offload_.header_length;
  if (holes_.front().from < headers || headers > max_headers) return false;
  std::memcpy(headers_.data(), block_.data(), headers);
  network_ = network_of(&block_[ahead]);
  segments_ = (block_.size() - headers + offload_.gso_size - 1) / offload_.gso_size;
  return true;
}

std::size_t Salvage::start_of(std::size_t segment) const {
  return std::min(ahead + offload_.header_length + segment * offload_.gso_size, block_.size());
}

Hole Salvage::hole_behind(std::size_t from) const {
  const auto end = static_cast<std::uint32_t>(block_.size());
  for (const Hole& hole : holes_)
    if (hole.to > from) return hole;
  return {.from = end, .to = end};
}

Bytes Salvage::next() {
  while (next_ < segments_) {
    const std::size_t first = next_;
    const Hole hole = hole_behind(start_of(first));
    std::size_t last = first;  // behind the run
    while (last < segments_ && start_of(last + 1) <= hole.from) ++last;
    next_ = last;
    while (next_ < segments_ && start_of(next_) < hole.to) ++next_;
    if (last > first) return cut(first, last);
  }
  return {};
}

// Segments [first, last). Their headers stand right before their payload, where the segment before
// them or a hole was.
Bytes Salvage::cut(std::size_t first, std::size_t last) {
  const std::size_t headers = ahead + offload_.header_length;
  const std::size_t payload = start_of(first);
  const std::size_t end = start_of(last);
  const MutableBytes run = block_.subspan(payload - headers, headers + end - payload);
  std::memcpy(run.data(), headers_.data(), headers);
  write_virtio_net(run.first<ahead>(), offload_);

  const std::size_t removed = block_.size() - run.size();
  std::byte* const ip = &run[ahead + network_];
  std::byte* const tcp = &run[ahead + offload_.csum_start];
  // What stands in place of the checksum is the pseudo header's sum, the TCP length in it.
  const std::size_t tcp_length = block_.size() - ahead - offload_.csum_start;
  replace_in_sum(tcp + tcp_checksum_at, static_cast<std::uint16_t>(tcp_length),
                 static_cast<std::uint16_t>(tcp_length - removed));
  shorten(ip, offload_, static_cast<std::uint16_t>(removed));
  if (is_v4(offload_))
    set_word_of_v4(ip, v4_id_at, static_cast<std::uint16_t>(load_be16(ip + v4_id_at) + first));
  store_be32(tcp + tcp_sequence_at, static_cast<std::uint32_t>(load_be32(tcp + tcp_sequence_at) +
                                                               first * offload_.gso_size));
  std::uint8_t flags = load_u8(tcp + tcp_flags_at);
  if (last < segments_) flags &= static_cast<std::uint8_t>(~fin_and_psh);
  if (first > 0) flags &= static_cast<std::uint8_t>(~cwr);
  store_u8(tcp + tcp_flags_at, flags);
  return run;
}

}  // namespace penstock
