// At each tick: the frame that was sealed before leaves, then the next one is packed and sealed.
// A frame is the same whether packets are in it or not; when one leaves depends on the clock
// alone. Where a link has a cap instead of a rhythm, a frame leaves when there is something in it
// and the last one is an interval ago.
#include <algorithm>
#include <utility>

#include "penstock/base/check.hpp"

#include "dataplane/outbound/open_frame.hpp"
#include "dataplane/outbound/outer_header.hpp"

namespace penstock::dataplane::outbound {
namespace {

constexpr std::size_t most = FrameEngine::max_batch;

// Lanes, or their frames, of one round.
template <class T>
struct Some {
  std::array<T*, most> items{};
  std::size_t count = 0;
  void push(T* item) { items[count++] = item; }
  [[nodiscard]] std::span<T*> all() { return std::span{items}.first(count); }
};

// Of what the queues gave up by themselves.
void count_events(Path& path, LinkLane& lane) {
  const PacketQueues::Events events = lane.queues.take_events();
  path.paced.packets -= events.too_old + events.dropped_aqm;
  path.count.drop(DropReason::queue_full, events.too_old);
  path.count.drop(DropReason::queue_aqm, events.dropped_aqm);
  path.count.add(Counter::ce_marked, events.marked);
}

const QueuedBlock* next_packet(Path& path, LinkLane& lane, Time now) {
  const QueuedBlock* const next = lane.queues.next(now);
  count_events(path, lane);
  return next;
}

void drop_next(Path& path, LinkLane& lane, DropReason reason) {
  lane.queues.discard();
  --path.paced.packets;
  path.count.drop(reason);
}

// A block is begun only when the SA may seal all of it.
bool hold(LinkLane& lane, OutboundSa& sa, const BlockSource& block, bool is_packet) {
  if (!sa.may_begin(frames_needed(block.length(), sa.packer.room(), sa.shape().payload())))
    return false;
  lane.hand.block = block;
  lane.hand.sa = &sa;
  lane.hand.is_packet = is_packet;
  return true;
}

// What became of the far side's frames, when it is time to say so: of a few of its lanes that this
// worker receives in each frame, so that the control queue always has room for others. It goes
// before packets.
void report(Path& path, LinkLane& lane, OutboundSa& sa, Time now) {
  if (!lane.reports() || &*lane.carrier->out != &sa) return;
  if (lane.next_report == 0 && !lane.reporter.is_due(now)) return;
  std::array<std::byte, frame_report_size> block;
  std::vector<InboundSa>& all = lane.carrier->in;
  if (all.empty()) return;
  const std::size_t end = std::min(lane.next_report + ControlQueue::capacity / 2, all.size());
  for (InboundSa& in : std::span{all}.subspan(lane.next_report, end - lane.next_report)) {
    const Time round_trip = lane.rate.round_trip();
    if (round_trip != Time{}) in.tally.set_round_trip(round_trip);
    write_frame_report(block, lane.reporter.make(static_cast<std::uint16_t>(in.spi.lane()),
                                                 in.tally, in.window.next(), round_trip, now));
    if (!lane.control.push(sa, block)) path.count.drop(DropReason::control_full);
  }
  lane.next_report = end % all.size();
}

// Takes the next block for the open frame of this SA in hand. False: there is none.
bool take(Path& path, LinkLane& lane, OutboundSa& sa, Time now) {
  while (lane.control.has_block()) {
    const ControlQueue::Entry& entry = lane.control.front();
    if (entry.sa != &sa) return false;  // its frame is the next
    if (hold(lane, sa, {BlockKind::control, entry.block()}, false)) return true;
    lane.control.pop();
  }
  if (lane.carrier == nullptr || &*lane.carrier->out != &sa) return false;
  while (const QueuedBlock* next = next_packet(path, lane, now)) {
    if (lane.is_stopped()) [[unlikely]] {
      drop_next(path, lane, DropReason::link_stopped);
      continue;
    }
    lane.hand.dscp = next->dscp;
    if (hold(lane, sa, {next->kind, Bytes{next->bytes}}, true)) return true;
    drop_next(path, lane, DropReason::seal_limit);
  }
  return false;
}

void finish_block(Path& path, LinkLane& lane, Time now) {
  LinkLane::Hand& hand = lane.hand;
  if (hand.is_packet) {
    count_packed(path, hand.block->kind(), hand.block->length());
    lane.queues.pop(now);
    --path.paced.packets;
  } else {
    lane.control.pop();
  }
  hand.block.reset();
}

// Whose the lane's next frame is; null: nobody's. One that confirms another session does not wait
// for the end of a long packet: its SA is another, so nothing is torn.
OutboundSa* next_sa(const LinkLane& lane) {
  if (OutboundSa* const sa = lane.control.first_frame()) return sa;
  if (lane.hand.block) return lane.hand.sa;
  if (lane.control.has_block()) return lane.control.front().sa;
  return lane.carrier != nullptr ? &*lane.carrier->out : nullptr;
}

// The SA has sealed all that it may: what would go there is dropped, and no frame leaves.
void refuse(Path& path, LinkLane& lane, const OutboundSa& sa, Time now) {
  if (lane.control.first_frame() == &sa) return lane.control.drop_frame(sa);
  if (lane.control.has_block()) return lane.control.pop();
  while (next_packet(path, lane, now) != nullptr) drop_next(path, lane, DropReason::seal_limit);
}

// What the frame that is packed says of how much the link has to carry.
void note_load(LinkLane& lane, const OutboundSa& sa, Time now) {
  if (!lane.reports() || &*lane.carrier->out != &sa || lane.is_stopped()) return;
  lane.rate.tick({.used = static_cast<std::uint32_t>(sa.packer.used()),
                  .room = static_cast<std::uint32_t>(lane.payload),
                  .has_backlog = lane.hand.block.has_value() || !lane.queues.is_empty()},
                 now);
  // However late it is by now, the grid goes on from the tick.
  lane.follow_rate(lane.pacer.next() - lane.pacer.interval());
}

// What the packet that pack has in hand may still take: no tick comes between it and its buffers.
std::size_t promised(const Path& path) {
  const BlockInHand& hand = path.in_hand;
  return hand.block ? frames_needed(hand.block->length(), 0, hand.sa->shape().payload()) : 0;
}

// Packs the lane's next frame into the batch, which has room. False: there is none.
bool fill(Path& path, LinkLane& lane, Time now) {
  OutboundSa* const sa = next_sa(lane);
  // Without a next hop packets wait where they are, as long as the queue lets them.
  if (sa == nullptr || !sa->has_next_hop || !path.buffers.ensure(1 + promised(path))) return false;
  // A packet that is in hand goes on in its own SA's next frame.
  const bool is_aside = lane.hand.block && lane.hand.sa != sa;
  if ((!lane.hand.block || is_aside) && !sa->may_begin(1)) [[unlikely]] {
    refuse(path, lane, *sa, now);
    return false;
  }
  lane.control.drop_frame(*sa);
  if (!lane.hand.block) report(path, lane, *sa, now);
  open_frame(path, *sa, now);
  while (!is_aside && (lane.hand.block || take(path, lane, *sa, now))) {
    if (sa->copies_dscp && lane.hand.is_packet)
      sa->dscp.note(lane.hand.dscp, !lane.hand.block->is_started());
    sa->packer.append(*lane.hand.block);
    if (lane.hand.block->is_done()) finish_block(path, lane, now);
    const bool is_apart_next = lane.apart && !lane.hand.block;
    if (sa->packer.is_full() || is_apart_next) break;
  }
  if (sa->packer.is_empty()) ++lane.dummies;
  note_load(lane, *sa, now);
  close_frame(path, *sa);
  return true;
}

void send(Path& path, std::span<rte_mbuf*> frames) {
  if (frames.empty()) return;
  const std::size_t sent = path.wire.send(frames);
  path.count.add(Counter::frames_sent, sent);
  path.count.drop(DropReason::wire_tx_full, frames.size() - sent);
}

void send_kept_apart(Path& path, LinkLane& lane, Time now) {
  if (!lane.apart || lane.hand.block) return;
  const LinkLane::Apart& apart = *lane.apart;
  send_apart(path, *apart.sa, Bytes{apart.bytes}.first(apart.length), apart.way, now);
  lane.drop_apart();
}

// Of a lane with a cap: when it may and wants to send; Time::max(): never, as it is.
Time due_with_cap(const LinkLane& lane) {
  if (lane.sealed != nullptr || lane.hand.block || !lane.control.is_empty())
    return lane.pacer.next();
  if (lane.carrier == nullptr || lane.queues.is_empty()) return Time::max();
  const bool fills_frame = lane.queues.bytes() >= lane.carrier->out->shape().payload();
  return fills_frame ? lane.pacer.next()
                     : std::max(lane.pacer.next(), lane.waits_since + lane.carrier->hold);
}

// When the lane is looked at next, after what was done to it.
void settle(Path& path, LinkLane& lane) {
  const Time due = lane.is_capped()  ? due_with_cap(lane)
                   : lane.has_work() ? lane.pacer.next()
                                     : Time::max();
  if (due == Time::max())
    path.paced.lanes.erase(lane);
  else
    path.paced.lanes.set(lane, due);
}

bool wants_frame(Path& path, LinkLane& lane, Time now) {
  if (lane.sealed != nullptr) return false;
  return !lane.is_capped() || lane.hand.block || !lane.control.is_empty() ||
         (lane.carrier != nullptr && next_packet(path, lane, now) != nullptr);
}

// Seals a frame for each lane that has none: it waits for the next tick, or under a cap leaves.
void prepare(Path& path, std::span<LinkLane*> lanes, Time now) {
  Some<LinkLane> of;
  for (LinkLane* lane : lanes)
    if (wants_frame(path, *lane, now) && fill(path, *lane, now)) of.push(lane);
  seal(path, now);
  Some<rte_mbuf> leaving;
  const std::span<rte_mbuf*> frames = path.frames.buffers.take();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    put_outer_header(frames[i], *path.frames.sas[i], path.frames.dscps[i]);
    if (of.items[i]->is_capped() || of.items[i]->is_stopped()) {
      leaving.push(frames[i]);
    } else {
      check(of.items[i]->sealed == nullptr, "one frame waits for a tick");
      of.items[i]->sealed = frames[i];
      ++path.paced.frames;
    }
  }
  send(path, leaving.all());
  for (LinkLane* lane : lanes) {
    send_kept_apart(path, *lane, now);
    lane->waits_since = now;
    settle(path, *lane);
  }
}

// One tick of a lane. True: its frame leaves.
bool tick(Path& path, LinkLane& lane, Time now) {
  if (lane.is_capped()) {
    lane.pacer.restart(now);
    return lane.sealed != nullptr;
  }
  std::uint64_t missed = lane.pacer.advance(now);
  if (lane.is_stopped()) return lane.sealed != nullptr;
  if (lane.sealed != nullptr) {
    lane.pacer.depart(now);
  } else {
    lane.pacer.miss();
    ++missed;
  }
  path.count.add(Counter::ticks_missed, missed);
  return lane.sealed != nullptr;
}

void round(Path& path, Time now) {
  Some<LinkLane> due;
  Some<rte_mbuf> leaving;
  std::size_t passed = 0;
  for (; passed < most && path.paced.lanes.first() <= now; ++passed) {
    LinkLane& lane = *path.paced.lanes.first_item();
    const bool leaves = tick(path, lane, now);
    if (leaves) leaving.push(std::exchange(lane.sealed, nullptr));
    // Where a frame leaves as soon as it is sealed, one that waited from before was this tick's.
    if (!leaves || (!lane.is_capped() && !lane.is_stopped())) due.push(&lane);
    path.paced.lanes.set(lane, lane.pacer.next());
  }
  path.paced.passed += passed;
  path.paced.frames -= leaving.count;
  send(path, leaving.all());
  prepare(path, due.all(), now);
}

}  // namespace

void pace(Path& path, Time now) {
  while (path.paced.lanes.first() <= now) round(path, now);
}

void wake_lane(Path& path, LinkLane& lane, Time now) {
  if (!lane.has_work()) return;
  if (lane.is_capped()) return settle(path, lane);
  if (lane.due_place == not_due) lane.pacer.resume(now);
  LinkLane* one = &lane;
  prepare(path, std::span{&one, 1}, now);
}

}  // namespace penstock::dataplane::outbound
