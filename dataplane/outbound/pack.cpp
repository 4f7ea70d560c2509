// Copies packets as blocks into the open frame of their SA; what does not fit continues in the
// next frame. A packet is begun only when there are buffers for all of it.
#include <cstring>

#include "penstock/wire/inner_packet.hpp"

#include "dataplane/outbound/open_frame.hpp"

namespace penstock::dataplane::outbound {
namespace {

// The longest packet in the smallest frames must find its buffers in one stash.
constexpr FrameShape smallest{.size = limits::min_frame_size, .tag = limits::max_tag};
static_assert((limits::max_block + block_header) / smallest.payload() + 2 <= BufferStash::capacity);

// Appends to the lead and moves on.
class LeadWriter {
 public:
  explicit LeadWriter(BlockLead& lead) : start_(lead.bytes.data()), at_(start_) {}
  void put(Bytes bytes) {
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  [[nodiscard]] VirtioNetBytes virtio_net() {
    at_ += limits::virtio_net_header;
    return VirtioNetBytes{at_ - limits::virtio_net_header, limits::virtio_net_header};
  }
  void put_tag(std::uint16_t tpid, std::uint16_t tci) {
    store_be16(at_, tpid);
    store_be16(at_ + 2, tci);
    at_ += BlockLead::tag;
  }
  [[nodiscard]] Bytes written() const { return {start_, at_}; }

 private:
  std::byte* start_;
  std::byte* at_;
};

void begin_block(BlockInHand& hand, const PacketView& view) {
  if (view.offload.is_finished() && view.vlan_tpid == 0) [[likely]] {
    hand.block.emplace(BlockKind::ethernet, Bytes{view.data, view.length});
    return;
  }
  const BlockPieces parts = pieces_of(view, hand.lead);
  hand.block.emplace(parts.kind, parts.pieces);
}

// Takes the next packet in hand. False: none is left.
bool take_next(Path& path) {
  while (path.next_packet < path.packet_count) {
    const Packet& packet = path.packets[path.next_packet++];
    OutboundSa& sa = *packet.sa;
    BlockInHand& hand = path.in_hand;
    begin_block(hand, *packet.view);
    hand.sa = &sa;
    if (sa.copies_dscp) [[unlikely]]
      hand.dscp = dscp_in({packet.view->data, packet.view->length});
    const std::size_t room = sa.open != nullptr ? sa.packer.room() : 0;
    const std::size_t frames = frames_needed(hand.block->length(), room, sa.shape().payload());
    if (!sa.may_begin(frames)) [[unlikely]] {
      path.count.drop(DropReason::seal_limit);
    } else if (!path.buffers.ensure(frames)) [[unlikely]] {
      path.count.drop(DropReason::no_frame_buffer);
    } else {
      return true;
    }
    hand.block.reset();
  }
  return false;
}

}  // namespace

// An unfinished packet crosses as it is, even to a site whose plain port cannot finish it:
// that site counts needs_offload.
BlockPieces pieces_of(const PacketView& view, BlockLead& lead) {
  const bool is_finished = view.offload.is_finished();
  const bool is_tagged = view.vlan_tpid != 0;
  Bytes packet{view.data, view.length};
  LeadWriter writer{lead};
  if (!is_finished) {
    VirtioNetHeader header = view.offload;
    if (is_tagged && (header.flags & VirtioNetHeader::needs_csum) != 0)
      header.csum_start = static_cast<std::uint16_t>(header.csum_start + BlockLead::tag);
    write_virtio_net(writer.virtio_net(), header);
  }
  if (is_tagged) {
    writer.put(packet.first(BlockLead::macs));
    writer.put_tag(view.vlan_tpid, view.vlan_tci);
    packet = packet.subspan(BlockLead::macs);
  }
  return {.kind = is_finished ? BlockKind::ethernet : BlockKind::offload_ethernet,
          .pieces = {writer.written(), packet}};
}

bool pack(Path& path, Time now) {
  BlockInHand& hand = path.in_hand;
  while (!path.frames.full()) {
    if (!hand.block && !take_next(path)) return false;
    OutboundSa& sa = *hand.sa;
    if (sa.open == nullptr) open_frame(path, sa, now);
    if (sa.copies_dscp) [[unlikely]]
      sa.dscp.note(hand.dscp, !hand.block->is_started());
    sa.packer.append(*hand.block);
    if (hand.block->is_done()) {
      count_packed(path, hand.block->kind(), hand.block->length());
      hand.block.reset();
    }
    if (sa.packer.is_full()) close_frame(path, sa);
  }
  return true;
}

}  // namespace penstock::dataplane::outbound
