// The lane of a link whose frames are timed, while sessions come and go.
#include <utility>

#include "penstock/keys/secret.hpp"

#include "dataplane/outbound/path.hpp"

namespace penstock::dataplane::outbound {
namespace {

// Only the session that ends could have sent them.
void drop_packets(Path& path, LinkLane& lane) {
  const std::size_t packets = lane.queues.packets();
  lane.queues.wipe();
  path.paced.packets -= packets;
  path.count.drop(DropReason::wiped_packet, packets);
  if (lane.hand.is_packet) lane.hand.block.reset();
}

// What is in hand will be no whole block on this SA.
void drop_hand(Path& path, LinkLane& lane) {
  if (!std::exchange(lane.hand.block, std::nullopt) || !lane.hand.is_packet) return;
  lane.queues.discard();
  --path.paced.packets;
  path.count.drop(DropReason::wiped_packet);
}

void wipe_sealed(Path& path, LinkLane& lane) {
  if (lane.sealed == nullptr) return;
  wipe({static_cast<std::byte*>(lane.sealed->buf_addr), lane.sealed->buf_len});
  rte_pktmbuf_free(std::exchange(lane.sealed, nullptr));
  --path.paced.frames;
  path.count.drop(DropReason::wiped_sealed);
}

// The lane has no current session any more.
void leave_alone(Path& path, LinkLane& lane, Time now) {
  lane.carrier = nullptr;
  --path.paced.carriers;
  drop_packets(path, lane);
  lane.publish(now);
}

// A lane without work must not be found due: its clock may be moved before it has work again.
void rest(Path& path, LinkLane& lane) {
  if (!lane.has_work()) path.paced.lanes.erase(lane);
}

bool is_carrier(const Session& session) {
  return session.lane != nullptr && session.lane->carrier == &session;
}

}  // namespace

void join_lane(const Session& session, Time now) {
  if (session.lane != nullptr && !session.lane->has_work()) session.lane->configure(session, now);
}

void begin_lane(Path& path, Session& session, Time now) {
  if (session.lane == nullptr) return;
  LinkLane& lane = *session.lane;
  if (std::exchange(lane.carrier, &session) == nullptr) ++path.paced.carriers;
  lane.is_paced = true;
  lane.configure(session, now);
  lane.rate.begin_sa(now);
  lane.reporter.renew();
  lane.next_report = 0;
  wake_lane(path, lane, now);
}

void keep_lane(Path& path, LinkLane& lane, Time now) {
  lane.rate.expire(now);
  if (const auto event = lane.rate.take_event()) {
    const bool is_stop = event->kind == BreakerEvent::Kind::stopped;
    lane.stopped_ppm.store(is_stop ? event->lost_ppm : 0, std::memory_order_relaxed);
    path.outbox.tell_breaker(*lane.carrier);
  }
  if (lane.follow_rate(now)) wake_lane(path, lane, now);
}

void end_lane(Path& path, const Session& session, Time now) {
  if (!is_carrier(session)) return;
  session.lane->is_paced = false;
  leave_alone(path, *session.lane, now);
  rest(path, *session.lane);
}

void leave_lane(Path& path, const Session& session, bool wipes, Time now) {
  if (session.lane == nullptr) return;
  LinkLane& lane = *session.lane;
  const OutboundSa& sa = *session.out;
  if (lane.hand.sa == &sa) drop_hand(path, lane);
  lane.control.forget(sa);
  if (lane.apart && lane.apart->sa == &sa) lane.drop_apart();
  if (is_carrier(session)) leave_alone(path, lane, now);
  if (wipes) {
    drop_packets(path, lane);
    wipe_sealed(path, lane);
  }
  rest(path, lane);
}

void wipe_lanes(Path& path) {
  while (path.paced.lanes.size() != 0) {
    LinkLane& lane = *path.paced.lanes.first_item();
    path.paced.lanes.erase(lane);
    wipe_sealed(path, lane);
  }
}

void stop_lanes(Path& path) {
  while (path.paced.lanes.size() != 0) {
    LinkLane& lane = *path.paced.lanes.first_item();
    path.paced.lanes.erase(lane);
    drop_packets(path, lane);
    if (lane.sealed == nullptr) continue;
    --path.paced.frames;
    const std::size_t sent = path.wire.send(std::span{&lane.sealed, 1});
    lane.sealed = nullptr;
    path.count.add(Counter::frames_sent, sent);
    path.count.drop(DropReason::wire_tx_full, 1 - sent);
  }
}

}  // namespace penstock::dataplane::outbound
