#include "dataplane/worker.hpp"

#include <algorithm>

#include "penstock/base/clock.hpp"
#include "penstock/wire/outer.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;

constexpr Time house_keeping = 100ms;        // kernel drops cost a system call a port
constexpr std::size_t commands_a_turn = 64;  // so that a busy controller does not stop traffic
constexpr std::size_t lanes_a_turn = 4;
constexpr Time at_once{};
constexpr Time time_of_a_frame = 2us;   // about what opening one takes at most
constexpr std::uint32_t vlan_tags = 8;  // two tags fit beside a full MTU

}  // namespace

Worker::Worker(const WorkerSetup& setup, FrameEngine engine)
    : mailbox_(setup.mailbox),
      outbox_(setup.mailbox, count_),
      engine_(std::move(engine)),
      held_{.limit = setup.held_limit},
      sessions_(setup.seat),
      life_(sessions_),
      out_{.plain = setup.plain,
           .wire = setup.wire,
           .engine = engine_,
           .sessions = sessions_,
           .count = count_,
           .outbox = outbox_,
           .buffers = BufferStash{setup.frames, BufferStash::most_ahead},
           .clock = setup.clock},
      in_{.wire = setup.wire,
          .plain = setup.plain,
          .engine = engine_,
          .sessions = sessions_,
          .life = life_,
          .count = count_,
          .outbox = outbox_,
          .buffers = BufferStash{setup.frames},
          .punt_buffers = BufferStash{setup.punts},
          .self = setup.self,
          .expected = setup.expected,
          .longest_packet = setup.plain_info.mtu + std::uint32_t{ethernet_header} + vlan_tags,
          .plain_takes_offload = setup.plain_info.takes_offload,
          .gaps = DueHeap<InboundSa>{setup.held_limit}},
      idle_(setup.idle, {.plain = setup.plain.wait_fd(), .wire = setup.wire.wait_fd()},
            setup.mailbox.worker_wake, setup.bell) {
  setup.plain.count_in(count_);
  setup.wire.count_in(count_);
  for (const std::uint16_t vlan : setup.vlans) sessions_.vlans().reserve(vlan);
}

void Worker::run(const std::atomic<bool>& stop) {
  Idle::sharpen_timers();
  out_.clock = monotonic_now;
  while (!stop.load(std::memory_order_relaxed)) {
    const Time now = monotonic_now();
    turn(now);
    if (is_busy_) {
      idle_.worked(now);
    } else if (idle_.rest(is_paced() ? monotonic_now() : now, deadline(), next_tick())) {
      count_.add(Counter::sleeps);
    }
  }
  let_go();
}

bool Worker::turn(Time now) {
  is_busy_ = outbound::run(out_, now) > 0;
  pace(now);
  bool worked = out_.paced.passed != 0;
  worked |= hear(now);
  pace(now);
  worked |= out_.paced.passed != 0;
  live(now);
  is_busy_ |= read_mailbox(now);
  is_busy_ |= run_timers(now);
  outbox_.ring();
  count_.add(Counter::turns);
  worked |= is_busy_;
  if (worked) publish();
  return worked;
}

void Worker::pace(Time now) {
  if (!is_paced()) return;
  outbound::pace(out_, out_.time(now));
  // What others gave it is of their rhythms, and must not wait for room in this one.
  out_.wire.serve();
}

Idle::Tick Worker::next_tick() const {
  if (!is_paced()) return {};
  return {.at = out_.paced.lanes.first(),
          .interval = out_.paced.lanes.first_item()->pacer.interval()};
}

// What comes from the wire. In a rhythm frames come whether or not there is anything in them: only
// packets are worth staying awake for. And a tick that is near waits for no more of them than fit;
// but as many ticks as passed, as many frames come in, however soon the next tick is: they follow
// each other closer than a turn on a fast link.
bool Worker::hear(Time now) {
  const std::size_t passed = std::exchange(out_.paced.passed, 0);
  if (!is_paced()) {
    const bool heard = inbound::run(in_, now) > 0;
    is_busy_ |= heard;
    return heard;
  }
  const Time left = out_.paced.lanes.first() - out_.time(now);
  const auto fit = std::clamp<Time::rep>(left / time_of_a_frame, 0, inbound::burst);
  if (fit == 0 && passed == 0 && out_.clock != nullptr) return false;
  in_.most = std::clamp<std::size_t>(passed, static_cast<std::size_t>(std::max<Time::rep>(fit, 1)),
                                     inbound::burst);
  const std::uint64_t before = count_.own()[Counter::delivered];
  const bool heard = inbound::run(in_, now) > 0;
  in_.most = inbound::burst;
  is_busy_ |= count_.own()[Counter::delivered] != before;
  return heard;
}

// Between turns only, so that the books balance.
void Worker::publish() {
  count_.set(Gauge::held_plain, out_.paced.packets);
  count_.set(Gauge::held_sealed, out_.paced.frames);
  count_.set(Gauge::held_frames, held_.held);
  count_.publish();
}

Time Worker::deadline() const {
  return std::min({life_.deadline(), in_.gaps.first(), outbound::flush_deadline(out_),
                   out_.paced.lanes.first(),
                   lanes_kept_ < sessions_.all().size() ? at_once : house_kept_ + house_keeping});
}

void Worker::live(Time now) {
  for (const LifeAction& action : life_.take_actions()) carry_out(action, now);
}

void Worker::carry_out(const LifeAction& action, Time now) {
  Session& session = *action.session;
  switch (action.kind) {
    case LifeAction::Kind::send_dummy:
      if (session.out) outbound::send_dummy(out_, *session.out, now);
      return;
    case LifeAction::Kind::confirmed:
      outbound::begin_lane(out_, session, now);
      return outbox_.note({.kind = Note::Kind::confirmed, .session = &session});
    case LifeAction::Kind::silence_turned:
      return outbox_.tell_silence(session);
    case LifeAction::Kind::finish_open:
      outbound::end_lane(out_, session, now);
      if (session.out) outbound::finish_open(out_, *session.out, now);
      return;
    case LifeAction::Kind::remove:
      return take_out(session, action.reason, now);
  }
}

void Worker::take_out(Session& session, ipc::RemovalReason reason, Time now) {
  outbound::leave_lane(out_, session, reason == ipc::RemovalReason::zeroized, now);
  if (reason == ipc::RemovalReason::zeroized) {
    if (session.out) outbound::wipe_open(out_, *session.out);
    inbound::wipe_held(in_, session);
  } else {
    if (session.out) outbound::finish_open(out_, *session.out, now);
    inbound::flush(in_, session, now);
  }
  sessions_.erase(session);
  outbox_.note({.kind = Note::Kind::returned, .reason = reason, .session = &session});
}

void Worker::wipe_handed_over() {
  out_.plain.wipe();
  out_.wire.wipe();
}

void Worker::zeroize() {
  wipe_handed_over();
  outbound::wipe_lanes(out_);
  for (Session* session : sessions_.all()) life_.remove(*session, ipc::RemovalReason::zeroized);
}

bool Worker::read_mailbox(Time now) {
  if (mailbox_.commands.empty()) return false;
  for (std::size_t i = 0; i < commands_a_turn; ++i) {
    const auto command = mailbox_.commands.pop();
    if (!command) break;
    obey(*command, now);
    live(now);
  }
  return true;
}

void Worker::obey(const Command& command, Time now) {
  switch (command.kind) {
    case Command::Kind::install:
      outbox_.note({.kind = Note::Kind::installed, .session = command.session});
      outbound::join_lane(*command.session, now);
      return life_.install(*command.session, now);
    case Command::Kind::begin:
      if (has(command)) life_.begin(*command.session, now);
      return;
    case Command::Kind::confirm:
      if (has(command)) life_.confirm_too(*command.session, now);
      return;
    case Command::Kind::remove:
      // It may have ended by itself in the meantime; then its note is on the way.
      if (has(command)) life_.remove(*command.session, ipc::RemovalReason::by_controller);
      return;
    case Command::Kind::next_hop:
      return set_next_hop(command);
    case Command::Kind::inject:
      return inject(command.packet);
    case Command::Kind::control:
      return send_control(command, now);
    case Command::Kind::challenge:
      return send_challenge(command, now);
    case Command::Kind::zeroize:
      return zeroize();
    case Command::Kind::wipe:
      return wipe_handed_over();
    case Command::Kind::vlan:
      return sessions_.vlans().give(command.link, command.vlan);
    case Command::Kind::link_gone:
      return sessions_.vlans().forget(command.link, command.vlan);
    case Command::Kind::move:
      return move(command);
    case Command::Kind::report:
      if (has(command)) inbound::take_report(in_, *command.session, command.report, now);
      return;
  }
}

bool Worker::has(const Command& command) const {
  return sessions_.has(command.session, command.spi);
}

void Worker::send_control(const Command& command, Time now) {
  const Bytes block{rte_pktmbuf_mtod(command.packet, const std::byte*), command.packet->data_len};
  if (has(command) && command.session->out)
    outbound::send_control(out_, *command.session->out, block, now);
  else
    count_.drop(DropReason::inside_gone);
  rte_pktmbuf_free(command.packet);
}

void Worker::send_challenge(const Command& command, Time now) {
  const Bytes block{rte_pktmbuf_mtod(command.packet, const std::byte*), command.packet->data_len};
  if (has(command) && command.session->out) {
    OutboundSa& sa = *command.session->out;
    OuterAddresses way = command.session->route;
    way.destination = command.peer;
    way.destination_mac = command.mac;
    outbound::send_apart(out_, sa, block, make_outer_header(way, sa.shape().size), now);
  }
  rte_pktmbuf_free(command.packet);
}

void Worker::move(const Command& command) {
  if (!has(command)) return;
  Session& session = *command.session;
  session.next_hop = command.address;
  session.route.destination = command.peer;
  session.route.destination_mac = command.mac;
  session.sighting = {};
  if (!session.out) return;
  session.out->outer = make_outer_header(session.route, session.out->shape().size);
  session.out->has_next_hop = true;
}

void Worker::inject(rte_mbuf* packet) {
  const std::size_t sent = out_.wire.send(std::span{&packet, 1});
  count_.add(Counter::injected, sent);
  count_.drop(DropReason::mailbox_full, 1 - sent);
}

void Worker::set_next_hop(const Command& command) {
  for (Session* session : sessions_.all()) {
    if (session->next_hop != command.address) continue;
    session->route.destination_mac = command.mac;
    if (!session->out) continue;
    std::ranges::copy(command.mac.bytes, session->out->outer.bytes.begin());
    session->out->has_next_hop = true;
  }
}

bool Worker::run_timers(Time now) {
  bool worked = false;
  if (now >= in_.gaps.first()) {
    inbound::expire_gaps(in_, now);
    worked = true;
  }
  if (now >= life_.deadline()) {
    life_.expire(now);
    live(now);
    worked = true;
  }
  if (now >= house_kept_ + house_keeping) keep_house(now);
  if (lanes_kept_ < sessions_.all().size()) keep_lanes(now);
  return worked;
}

void Worker::keep_house(Time now) {
  house_kept_ = now;
  count_.set_drops(DropReason::plain_kernel_drop, out_.plain.kernel_drops().received);
  count_.set_drops(DropReason::wire_kernel_drop, out_.wire.kernel_drops().received);
  if (!is_port_gone_ && (out_.plain.is_gone() || out_.wire.is_gone())) [[unlikely]] {
    is_port_gone_ = true;
    outbox_.note({.kind = Note::Kind::port_gone});
  }
  if (out_.paced.carriers != 0) lanes_kept_ = 0;
  publish();
}

// A few a turn: what their figures take would keep ticks waiting.
void Worker::keep_lanes(Time now) {
  const auto left = sessions_.all().subspan(lanes_kept_);
  const auto few = left.first(std::min(left.size(), lanes_a_turn));
  lanes_kept_ += few.size();
  for (const Session* session : few) {
    if (session->lane == nullptr || session->lane->carrier != session) continue;
    outbound::keep_lane(out_, *session->lane, now);
    session->lane->publish(now);
  }
}

void Worker::let_go() {
  const Time now = monotonic_now();
  outbound::stop_lanes(out_);
  for (Session* session : sessions_.all()) {
    if (session->out) outbound::finish_open(out_, *session->out, now);
    inbound::flush(in_, *session, now);
  }
  publish();
}

}  // namespace penstock::dataplane
