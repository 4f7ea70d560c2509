#include "dataplane/control/link_sums.hpp"

#include <algorithm>
#include <cstddef>

namespace penstock::dataplane {
namespace {

void worsen(auto& worst, const auto& other) { worst = std::max(worst, other); }

void add_class(ipc::ClassStats& sum, const ipc::ClassStats& lane) {
  sum.packets += lane.packets;
  sum.dropped += lane.dropped;
  sum.dropped_aqm += lane.dropped_aqm;
  sum.marked += lane.marked;
  sum.queued_packets += lane.queued_packets;
  sum.queued_bytes += lane.queued_bytes;
  worsen(sum.delay_p50_ns, lane.delay_p50_ns);
  worsen(sum.delay_p99_ns, lane.delay_p99_ns);
}

ipc::BreakerState worse(ipc::BreakerState a, ipc::BreakerState b) {
  using enum ipc::BreakerState;
  if (a == open || b == open) return open;
  return a == probing || b == probing ? probing : closed;
}

}  // namespace

void add_lane(ipc::LinkStats& link, const ipc::LinkStats& lane) {
  worsen(link.mode, lane.mode);
  worsen(link.is_paced, lane.is_paced);
  worsen(link.step, lane.step);
  link.breaker = worse(link.breaker, lane.breaker);
  link.rate += lane.rate;
  link.ticks += lane.ticks;
  link.ticks_missed += lane.ticks_missed;
  link.ticks_on_time += lane.ticks_on_time;
  worsen(link.latest_ns, lane.latest_ns);
  link.dummies += lane.dummies;
  link.breaker_trips += lane.breaker_trips;
  link.reports_heard += lane.reports_heard;
  worsen(link.loss_ppm, lane.loss_ppm);
  link.frames_lost += lane.frames_lost;
  link.frames_marked += lane.frames_marked;
  worsen(link.round_trip_ns, lane.round_trip_ns);
  link.lanes = static_cast<std::uint16_t>(link.lanes + lane.lanes);
  link.lanes_stopped += lane.lanes_stopped;
  for (std::size_t i = 0; i < link.classes.size(); ++i) add_class(link.classes[i], lane.classes[i]);
}

}  // namespace penstock::dataplane
