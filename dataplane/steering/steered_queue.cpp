#include "dataplane/steering/steered_queue.hpp"

#include <algorithm>

#include <rte_mbuf.h>

#include "penstock/keys/secret.hpp"

#include "dataplane/seat.hpp"
#include "dataplane/steering/flow_hash.hpp"
#include "dataplane/steering/frame_lane.hpp"

namespace penstock::dataplane {
namespace {

// All headers are in the first piece of a packet that came in pieces.
Bytes beginning_of(rte_mbuf* packet) {
  return {rte_pktmbuf_mtod(packet, const std::byte*), packet->data_len};
}

}  // namespace

SteeredQueue::SteeredQueue(const Setup& setup, Mesh& mesh)
    : worker_(setup.worker),
      side_(setup.side),
      udp_port_(setup.udp_port),
      own_(setup.own),
      mesh_(mesh),
      views_(setup.port.longest),
      slots_(setup.port.tx_pool, setup.port.longest),
      for_others_(mesh.shape().workers) {
  if (own_ != nullptr) kept_.emplace(-1);
  for (unsigned other = 0; other < mesh.shape().workers; ++other) {
    if (HandOver* ring = mesh.in(other, worker_)) from_others_.push_back(ring);
    if (HandOver* ring = mesh.out(other, worker_)) to_send_.push_back(ring);
  }
}

// Half of the room at least is for each of the two ways in, so that neither starves the other; of
// an odd place, in turns.
std::size_t SteeredQueue::receive(std::span<PacketView> views) {
  release();
  send_for_others();
  const bool is_limited = views.size() < max_burst;
  views = views.first(std::min(views.size(), max_burst));
  const std::size_t half = (views.size() + (++turn_ & 1)) / 2;
  std::size_t count = take_in(own_ != nullptr ? views.first(half) : views);
  if (own_ != nullptr) {
    count += receive_own(views.subspan(count), is_limited);
    count += take_in(views.subspan(count));
  }
  views_.note(views.first(count));
  return count;
}

std::size_t SteeredQueue::take_in(std::span<PacketView> views) {
  std::size_t count = 0;
  for (std::size_t ring = 0; ring < from_others_.size() && count < views.size(); ++ring) {
    std::array<rte_mbuf*, max_burst> packets;
    if (++next_from_ >= from_others_.size()) next_from_ = 0;
    const auto popped =
        from_others_[next_from_]->pop(std::span{packets}.first(views.size() - count));
    for (rte_mbuf* packet : std::span{packets}.first(popped))
      if (views_.view(packet, views[count])) ++count;
  }
  return count;
}

// Who takes few, for the sake of a rhythm, limits what is its own, and not what it hands over.
std::size_t SteeredQueue::receive_own(std::span<PacketView> views, bool is_limited) {
  std::array<rte_mbuf*, max_burst> packets;
  std::size_t count = 0;
  const auto kept = kept_->pop(std::span{packets}.first(views.size()));
  for (rte_mbuf* packet : std::span{packets}.first(kept))
    if (views_.view(packet, views[count])) ++count;
  const auto wanted = is_limited ? max_burst : views.size() - count;
  if (wanted == 0) return count;
  const auto received = own_->receive_whole(std::span{packets}.first(wanted));
  bool is_any_left = false;
  for (rte_mbuf* packet : std::span{packets}.first(received)) {
    const unsigned owner = owner_of(packet);
    if (owner != worker_ || count == views.size()) {
      for_others_[owner].push(packet);
      is_any_left = true;
    } else if (views_.view(packet, views[count])) {
      ++count;
    }
  }
  if (is_any_left) hand_over();
  return count;
}

unsigned SteeredQueue::owner_of(rte_mbuf* packet) const {
  const unsigned workers = mesh_.shape().workers;
  if (side_ == PortSide::plain) return owner_of_flow(flow_hash(beginning_of(packet)), workers);
  const auto lane = frame_lane(beginning_of(packet), udp_port_);
  return lane ? Seat::owner_of(*lane, workers) : worker_;
}

void SteeredQueue::hand_over() {
  for (unsigned other = 0; other < for_others_.size(); ++other) {
    if (for_others_[other].empty()) continue;
    const auto packets = for_others_[other].take();
    const bool is_own = other == worker_;
    const auto pushed = (is_own ? &*kept_ : mesh_.in(worker_, other))->push(packets);
    if (pushed != 0 && !is_own) mesh_.bell(other).ring();
    if (pushed == packets.size()) continue;
    const auto refused = packets.subspan(pushed);
    rte_pktmbuf_free_bulk(refused.data(), static_cast<unsigned>(refused.size()));
    count_->drop(DropReason::mesh_full, refused.size());
  }
}

std::size_t SteeredQueue::commit(std::size_t used) {
  auto packets = slots_.fill(used);
  return send(packets.take());
}

std::size_t SteeredQueue::send(std::span<rte_mbuf*> packets) {
  if (own_ != nullptr) return own_->send(packets);
  if (packets.empty()) return 0;
  const unsigned sender = mesh_.shape().sender_for(worker_);
  const auto pushed = mesh_.out(worker_, sender)->push(packets);
  if (pushed != 0) mesh_.bell(sender).ring();
  const auto refused = packets.subspan(pushed);
  rte_pktmbuf_free_bulk(refused.data(), static_cast<unsigned>(refused.size()));
  count_->drop(DropReason::mesh_full, refused.size());
  return pushed;
}

// All that waits, but not what comes meanwhile.
void SteeredQueue::send_for_others() {
  for (HandOver* ring : to_send_) {
    std::array<rte_mbuf*, max_burst> packets;
    for (std::size_t left = HandOver::room; left != 0;) {
      const auto popped = ring->pop(packets);
      send_for_other(std::span{packets}.first(popped));
      left -= std::min(left, popped);
      if (popped < packets.size()) break;
    }
  }
}

// Who sealed or rebuilt them has counted them as sent.
void SteeredQueue::send_for_other(std::span<rte_mbuf*> packets) {
  if (packets.empty()) return;
  const auto sent = own_->send(packets);
  count_->drop(DropReason::mesh_full, packets.size() - sent);
}

void SteeredQueue::wipe() {
  for (HandOver* ring : from_others_) wipe(*ring);
  for (HandOver* ring : to_send_) wipe(*ring);
  if (kept_) wipe(*kept_);
}

// What is pushed meanwhile is not this worker's yet.
void SteeredQueue::wipe(HandOver& ring) {
  std::array<rte_mbuf*, max_burst> packets;
  for (std::size_t left = HandOver::room; left != 0;) {
    const auto popped = ring.pop(packets);
    for (rte_mbuf* packet : std::span{packets}.first(popped)) {
      for (rte_mbuf* piece = packet; piece != nullptr; piece = piece->next)
        penstock::wipe({static_cast<std::byte*>(piece->buf_addr), piece->buf_len});
      rte_pktmbuf_free(packet);
    }
    count_->drop(DropReason::mesh_full, popped);
    left -= std::min(left, popped);
    if (popped < packets.size()) break;
  }
}

int SteeredQueue::wait_fd() const { return own_ != nullptr ? own_->wait_fd() : waits_for_others; }

KernelDrops SteeredQueue::kernel_drops() {
  KernelDrops drops;
  if (own_ != nullptr) drops = own_->kernel_drops();
  drops.received += views_.drops();
  return drops;
}

}  // namespace penstock::dataplane
