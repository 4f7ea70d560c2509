// Received mbufs as views of packets. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "dataplane/device/port.hpp"

namespace penstock::dataplane {

class MbufViews {
 public:
  static constexpr std::size_t max_burst = 64;  // views between two releases

  // `longest`: bytes of the longest packet that is taken.
  explicit MbufViews(std::uint32_t longest);

  // Takes the packet. One that came in pieces is copied together and given back. False: it was too
  // long, and dropped.
  [[nodiscard]] bool view(rte_mbuf* packet, PacketView& view) {
    view = {
        .data = rte_pktmbuf_mtod(packet, std::byte*), .length = packet->pkt_len, .mbuf = packet};
    if ((packet->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0) {
      view.vlan_tpid = RTE_ETHER_TYPE_VLAN;
      view.vlan_tci = packet->vlan_tci;
    }
    if (packet->nb_segs > 1) [[unlikely]]
      return view_scattered(packet, view);
    return true;
  }
  // What release() looks at: the caller keeps that array until then.
  void note(std::span<PacketView> viewed) { viewed_ = viewed; }
  void release();

  [[nodiscard]] std::uint64_t drops() const { return drops_; }

 private:
  [[nodiscard]] bool view_scattered(rte_mbuf* packet, PacketView& view);

  std::uint32_t longest_;
  std::span<PacketView> viewed_;
  std::unique_ptr<std::byte[]> whole_;  // packets that came in pieces, put together
  std::size_t whole_used_ = 0;
  std::uint64_t drops_ = 0;
};

}  // namespace penstock::dataplane
