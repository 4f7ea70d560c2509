#include "dataplane/session/link_lane.hpp"

#include <algorithm>

#include "penstock/keys/secret.hpp"

namespace penstock::dataplane {
namespace {

Time to_time(std::uint64_t nanoseconds) {
  constexpr std::uint64_t longest = INT64_MAX / 2;
  return Time{static_cast<Time::rep>(std::min(nanoseconds, longest))};
}

std::size_t queue_bytes(const ipc::Shaping& shaping, std::uint64_t rate, std::size_t payload) {
  // Each below 2^53 on its own, and what is beyond is cut anyway.
  const double frames = static_cast<double>(rate) / static_cast<double>(Pacer::second_of_rate) *
                        static_cast<double>(shaping.queue_ns);
  const double bytes =
      std::min(frames * static_cast<double>(payload), static_cast<double>(LinkLane::most_queue));
  return std::max(static_cast<std::size_t>(bytes), LinkLane::least_queue);
}

std::uint64_t count_of(Time time) { return static_cast<std::uint64_t>(time.count()); }

RateLimits limits_of(const ipc::Shaping& shaping) {
  return {.mode = shaping.mode,
          .rates = shaping.rates,
          .steps = std::clamp<unsigned>(shaping.steps, 1, Shape::max_steps),
          .dwell = to_time(shaping.dwell_ns),
          .adapts = shaping.adapts != 0,
          .least = shaping.least_rate};
}

// As often as a session that has nothing to say.
constexpr std::uint64_t keepalive_rate =
    Pacer::second_of_rate / static_cast<std::uint64_t>(Time{limits::keepalive}.count());

// In packets of usual length.
constexpr Time::rep usual_wait = 4;

}  // namespace

LinkLane::LinkLane(std::uint32_t of, const ipc::Shaping& first, std::uint64_t phase, Time now)
    : pacer(first.rates[0], phase, now),
      rate(limits_of(first)),
      shaping(first),
      queues({.bytes = most_queue}),
      link(of) {}

void LinkLane::configure(const Session& session, Time now) {
  if (peer_name != session.peer_name) begin_anew(session);
  shaping = session.shaping;
  payload = session.out->shape().payload();
  rate.set_limits(limits_of(shaping));
  if (is_capped()) stopped_ppm.store(0, std::memory_order_relaxed);
  if (follow_rate(now)) return;
  set_queue_limits();
}

void LinkLane::begin_anew(const Session& session) {
  peer_name = session.peer_name;
  rate = RateControl{limits_of(session.shaping)};
  reporter.renew();
  next_report = 0;
  dummies = 0;
  stopped_ppm.store(0, std::memory_order_relaxed);
  pacer.forget_stats();
  queues.forget_figures();
}

bool LinkLane::follow_rate(Time now) {
  const std::uint64_t wanted = is_stopped() ? keepalive_rate : rate.rate();
  if (wanted == pacer.rate()) return false;
  pacer.set_rate(wanted, now);
  set_queue_limits();
  return true;
}

void LinkLane::set_queue_limits() {
  const CodelSettings codel = codel_for(pacer.interval(), payload);
  // A packet has to wait for its tick, and for a few before it: what is of an age that a slow clock
  // gives every packet is not too old.
  const std::size_t frames = frames_needed(Codel::one_packet, 0, payload);
  const Time usual = usual_wait * static_cast<Time::rep>(frames) * pacer.interval();
  queues.set_limits({.bytes = queue_bytes(shaping, pacer.rate(), payload),
                     .target = codel.target,
                     .interval = codel.interval,
                     .longest = shaping.queue_ns == 0
                                    ? Time::max()
                                    : std::max(to_time(shaping.queue_ns), usual)});
}

bool LinkLane::keeps_apart(OutboundSa& sa, Bytes block, const OuterHeader& way) {
  if (!hand.block || hand.sa != &sa || block.size() > sizeof(Apart::bytes)) return false;
  Apart& kept = apart.emplace(Apart{.sa = &sa, .way = way, .length = block.size()});
  std::ranges::copy(block, kept.bytes.begin());
  return true;
}

void LinkLane::drop_apart() {
  if (!apart) return;
  wipe(apart->bytes);
  apart.reset();
}

void LinkLane::publish(Time now) {
  const Pacer::Stats& stats = pacer.stats();
  const auto breaker = static_cast<ipc::BreakerState>(rate.state());
  const bool is_stopped = breaker != ipc::BreakerState::closed;
  ipc::LinkStats all{.link = link,
                     .mode = shaping.mode,
                     .is_paced = is_paced ? std::uint8_t{1} : std::uint8_t{0},
                     .step = static_cast<std::uint8_t>(rate.step()),
                     .breaker = breaker,
                     .rate = rate.rate(),
                     .ticks = stats.ticks,
                     .ticks_missed = stats.missed,
                     .ticks_on_time = stats.on_time,
                     .latest_ns = count_of(stats.latest),
                     .dummies = dummies,
                     .breaker_trips = rate.trips(),
                     .reports_heard = rate.sums().heard,
                     .loss_ppm = rate.sums().last_ppm,
                     .frames_lost = rate.sums().lost,
                     .frames_marked = rate.sums().marked,
                     .round_trip_ns = count_of(rate.round_trip()),
                     .lanes = 1,
                     .lanes_stopped = is_stopped ? 1U : 0U};
  for (std::size_t i = 0; i < packet_classes; ++i) {
    const auto of = static_cast<PacketClass>(i);
    const PacketQueues::ClassFigures figures = queues.figures(of);
    const DelayHistogram::Percentiles delays = queues.delays(of, now);
    all.classes[i] = {.packets = figures.packets,
                      .dropped = figures.dropped,
                      .dropped_aqm = figures.dropped_aqm,
                      .marked = figures.marked,
                      .queued_packets = figures.queued_packets,
                      .queued_bytes = figures.queued_bytes,
                      .delay_p50_ns = count_of(delays.p50),
                      .delay_p99_ns = count_of(delays.p99)};
  }
  published.write(all);
}

}  // namespace penstock::dataplane
