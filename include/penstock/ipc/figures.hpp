// What the data plane says of itself when asked: links, workers, counters, topology.
#pragma once

#include <array>
#include <cstdint>

#include "penstock/base/shape.hpp"
#include "penstock/ipc/counters.hpp"
#include "penstock/ipc/header.hpp"
#include "penstock/ipc/shaping.hpp"

namespace penstock::ipc {

struct ListLinks {
  static constexpr auto type = MessageType::list_links;
  Header header{.type = type};
};

// Of the packets of one class on a link with a rate.
struct ClassStats {
  std::uint64_t packets = 0;      // that went on
  std::uint64_t dropped = 0;      // by the queue's bound
  std::uint64_t dropped_aqm = 0;  // by the AQM
  std::uint64_t marked = 0;       // by the AQM: CE
  std::uint64_t queued_packets = 0;
  std::uint64_t queued_bytes = 0;
  std::uint64_t delay_p50_ns = 0;  // in the queue
  std::uint64_t delay_p99_ns = 0;
};

enum class BreakerState : std::uint8_t { closed = 0, open = 1, probing = 2 };

// Of a link whose frames are paced, or whose path is probed; since the data plane's start. Of all
// its lanes: counts, rates and what is queued add up; times, percentiles, losses and the step are
// the worst lane's, and so is the breaker's state (open before probing before closed).
struct LinkStats {
  static constexpr auto type = MessageType::link_stats;
  Header header{.type = type};
  std::uint32_t link = 0;
  ShapeMode mode{};
  std::uint8_t is_paced = 0;
  std::uint8_t step = 0;  // quantized: from 0
  BreakerState breaker{};
  std::uint64_t rate = 0;  // now, frames per 1000 seconds
  std::uint64_t ticks = 0;
  std::uint64_t ticks_missed = 0;
  std::uint64_t ticks_on_time = 0;  // the interval before within 20 % of nominal
  std::uint64_t latest_ns = 0;      // the latest that a frame left behind its tick
  std::uint64_t dummies = 0;
  std::uint64_t breaker_trips = 0;
  std::uint64_t reports_heard = 0;
  std::uint64_t loss_ppm = 0;       // of our frames, by the far side's last report
  std::uint64_t frames_lost = 0;    // of ours, by all its reports
  std::uint64_t frames_marked = 0;  // of ours, CE, by all its reports
  std::uint64_t round_trip_ns = 0;
  std::uint64_t probes_sent = 0;
  std::uint64_t probes_answered = 0;
  std::uint16_t path_frame = 0;     // that probes proved; 0: none yet
  std::uint16_t lanes = 0;          // with a clock
  std::uint32_t lanes_stopped = 0;  // of them, whose breaker is open or probing
  std::array<ClassStats, packet_classes> classes{};
};

struct ListWorkers {
  static constexpr auto type = MessageType::list_workers;
  Header header{.type = type};
};

struct WorkerStats {
  static constexpr auto type = MessageType::worker_stats;
  Header header{.type = type};
  std::uint32_t worker = 0;
  std::uint32_t zero = 0;
  Counters counters;  // its own; what the main core lost is no worker's
};

struct GetTopology {
  static constexpr auto type = MessageType::get_topology;
  Header header{.type = type};
};

// A piece of what `penstock-dataplane --show-topology` prints, of the data plane as it runs.
struct TopologyText {
  static constexpr auto type = MessageType::topology_text;
  Header header{.type = type};
  std::array<char, 1024> text{};  // the last one has zeros behind it
};

struct GetStats {
  static constexpr auto type = MessageType::get_stats;
  Header header{.type = type};
};

struct Stats {
  static constexpr auto type = MessageType::stats;
  Header header{.type = type};
  std::uint64_t uptime_ns = 0;
  std::uint32_t workers = 0;
  std::uint32_t sessions = 0;
  Counters counters;  // all workers
};

}  // namespace penstock::ipc
