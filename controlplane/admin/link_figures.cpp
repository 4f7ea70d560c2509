#include "controlplane/admin/link_figures.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "penstock/ipc/packing.hpp"
#include "penstock/wire/packet_bytes.hpp"

#include "controlplane/admin/seconds.hpp"

namespace penstock::controlplane {
namespace {

using nlohmann::json;

json share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return nullptr;
  return static_cast<double>(part) / static_cast<double>(whole);
}

json known(const std::optional<double>& value) { return value ? json(*value) : json(nullptr); }

std::string_view name_of(ipc::BreakerState state) {
  switch (state) {
    case ipc::BreakerState::closed:
      return "closed";
    case ipc::BreakerState::open:
      return "open";
    case ipc::BreakerState::probing:
      return "probing";
  }
  return "unknown";
}

json breaker_json(const ipc::LinkStats& stats, std::string_view stop) {
  return {{"state", name_of(stats.breaker)},
          {"lanes", stats.lanes},
          {"lanes_stopped", stats.lanes_stopped},
          {"trips", stats.breaker_trips},
          {"reason", stop}};
}

json ticks_json(const ipc::LinkStats& stats) {
  return {{"count", stats.ticks},
          {"missed", stats.ticks_missed},
          {"on_time", stats.ticks_on_time},
          {"on_time_share", share(stats.ticks_on_time, stats.ticks)},
          {"latest_s", seconds(stats.latest_ns)}};
}

// What the far side says of our frames; null until it said anything.
json far_side_json(const ipc::LinkStats& stats) {
  if (stats.reports_heard == 0) return nullptr;
  return {{"reports", stats.reports_heard},
          {"loss", static_cast<double>(stats.loss_ppm) / 1e6},
          {"frames_lost", stats.frames_lost},
          {"frames_marked", stats.frames_marked},
          {"round_trip_s",
           stats.round_trip_ns == 0 ? json(nullptr) : json(seconds(stats.round_trip_ns))}};
}

constexpr std::array<std::string_view, packet_classes> class_names{"voice", "video", "normal",
                                                                   "bulk"};

}  // namespace

json shaping_json(const ipc::LinkStats* stats, const ipc::SessionInfo* session,
                  std::string_view stop, std::size_t steps) {
  const bool is_paced = stats != nullptr && stats->is_paced != 0;
  if (!is_paced && session == nullptr) return nullptr;
  const ShapeMode mode = is_paced ? stats->mode : session->shaping;
  json result{{"mode", to_string(mode)}, {"is_paced", is_paced}};
  if (!is_paced) return result;
  const double frames = static_cast<double>(stats->rate) / 1e3;
  const auto bits = [&] {
    const std::size_t bytes =
        packet_bytes(ipc::from_wire(session->peer).address.version, session->frame_size);
    return frames * static_cast<double>(bytes) * 8;
  };
  result["frames_per_s"] = frames;
  result["bits_per_s"] = session == nullptr ? json(nullptr) : json(bits());
  const bool has_steps = mode == ShapeMode::quantized;
  result["step"] = has_steps ? json(stats->step + 1) : json(nullptr);
  result["steps"] = has_steps ? json(steps) : json(nullptr);
  result["ticks"] = ticks_json(*stats);
  result["dummies"] = stats->dummies;
  result["dummy_share"] = share(stats->dummies, stats->ticks);
  result["far_side"] = far_side_json(*stats);
  result["breaker"] = breaker_json(*stats, stop);
  return result;
}

json queues_json(const ipc::LinkStats* stats) {
  if (stats == nullptr || stats->is_paced == 0) return nullptr;
  json result = json::object();
  for (std::size_t i = 0; i < packet_classes; ++i) {
    const ipc::ClassStats& of = stats->classes.at(i);
    result[std::string{class_names.at(i)}] = {{"packets", of.packets},
                                              {"dropped", of.dropped},
                                              {"dropped_aqm", of.dropped_aqm},
                                              {"marked", of.marked},
                                              {"queued_packets", of.queued_packets},
                                              {"queued_bytes", of.queued_bytes},
                                              {"delay_p50_s", seconds(of.delay_p50_ns)},
                                              {"delay_p99_s", seconds(of.delay_p99_ns)}};
  }
  return result;
}

json path_json(const ipc::LinkStats* stats) {
  if (stats == nullptr || (stats->probes_sent == 0 && stats->path_frame == 0)) return nullptr;
  return {{"frame_size", stats->path_frame == 0 ? json(nullptr) : json(stats->path_frame)},
          {"probes_sent", stats->probes_sent},
          {"probes_answered", stats->probes_answered}};
}

json packing_json(const Counters& counters) {
  const Packing packing = packing_of(counters);
  return {{"fill", known(packing.fill)},
          {"packet_share", known(packing.packets)},
          {"packets_a_frame", known(packing.packets_a_frame)},
          {"payload_bytes", counters[Counter::payload_bytes]},
          {"padding_bytes", counters[Counter::padding_bytes]},
          {"dummy_frames", counters[Counter::dummy_frames]}};
}

}  // namespace penstock::controlplane
