// Rebuilt packets into the plain port's transmit slots: inline, since reassemble does it for every
// packet that needs no look.
#pragma once

#include "penstock/base/copy.hpp"

#include "dataplane/inbound/path.hpp"

namespace penstock::dataplane::inbound {

// Where the next packet goes; null: the port has no room.
[[nodiscard]] inline TxSlot* next_slot(Path& path) {
  Delivery& delivery = path.delivery;
  if (delivery.used == delivery.slots.size()) {
    commit(path);
    delivery.slots = path.plain.reserve(burst);
    if (delivery.slots.size() > burst) delivery.slots = delivery.slots.first(burst);
  }
  return delivery.slots.empty() ? nullptr : &delivery.slots[delivery.used];
}

// The far site says what VLAN a packet is of; only those of its own link are taken from it.
[[nodiscard]] inline bool is_of_link(const Path& path, const InboundSa& sa, Bytes packet) {
  const VlanMap& vlans = path.sessions.vlans();
  return !vlans.is_used() || vlans.link_of(vlan_in(packet)) == sa.session->link;
}

// A packet in parts, whose headers need no look. False: they do, or there is no room for it; emit()
// it whole.
[[nodiscard]] inline bool emit_parts(Path& path, const InboundSa& sa, BlockKind kind,
                                     std::span<const Bytes> parts, std::size_t length) {
  if (kind != BlockKind::ethernet || length < ethernet_header || length > path.longest_packet)
    return false;
  TxSlot* const slot = next_slot(path);
  if (slot == nullptr || length > slot->capacity) return false;
  std::byte* at = slot->data;
  for (const Bytes part : parts) at = copy_bytes(at, part);
  path.count.add(Counter::packets_rebuilt);
  if (!is_of_link(path, sa, {slot->data, length})) {
    path.count.drop(DropReason::bad_vlan);
    return true;
  }
  slot->length = static_cast<std::uint32_t>(length);
  slot->offload = {};
  path.delivery.lengths[path.delivery.used++] = slot->length;
  return true;
}

}  // namespace penstock::dataplane::inbound
