#include "dataplane/device/mbuf_views.hpp"

namespace penstock::dataplane {

MbufViews::MbufViews(std::uint32_t longest)
    : longest_(longest), whole_(std::make_unique_for_overwrite<std::byte[]>(max_burst * longest)) {}

bool MbufViews::view_scattered(rte_mbuf* packet, PacketView& view) {
  const bool fits = view.length <= longest_;
  if (fits) {
    auto* const whole = whole_.get() + whole_used_++ * longest_;
    // Copies, as the packet is in pieces.
    (void)rte_pktmbuf_read(packet, 0, view.length, whole);
    view.data = whole;
    view.mbuf = nullptr;
  } else {
    ++drops_;
  }
  rte_pktmbuf_free(packet);
  return fits;
}

void MbufViews::release() {
  for (auto& view : viewed_) rte_pktmbuf_free(view.mbuf);
  viewed_ = {};
  whole_used_ = 0;
}

}  // namespace penstock::dataplane
