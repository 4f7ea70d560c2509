// The whole data plane on one page: every worker, port queue, ring and pool by name, decided
// before anything is made. `penstock-dataplane --show-topology` prints it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/error.hpp"
#include "penstock/config/site_config.hpp"

namespace penstock::dataplane {

struct PoolPlan {
  std::string name;
  std::string use;
  unsigned buffers = 0;
  std::uint16_t data_room = 0;  // bytes of each, RTE_PKTMBUF_HEADROOM included
  unsigned cache = 0;           // that each worker keeps at hand
  int socket = -1;              // the NUMA node of its workers; -1: any
  unsigned workers = 0;         // that use it
};

struct WorkerPlan {
  unsigned index = 0;
  std::optional<unsigned> core;  // empty: floats over the allowed cores
  int socket = -1;               // the core's NUMA node; -1: one is as good as another
  std::size_t pool = 0;          // of Topology::frames
  unsigned lane = 0;  // it sends on; it receives those that are = index modulo the workers
};

// What a device turns out to have, once it is open.
struct QueuePlan {
  unsigned queues = 0;     // 0: not open yet; else worker w < queues owns queue w
  bool is_meshed = false;  // packets pass from worker to worker, as the queues alone do not suit
};

struct RingPlan {
  std::string name;
  std::string from;
  std::string to;
  std::size_t entries = 0;
  std::string carries;
};

struct Topology {
  std::string site;
  std::string plain_device;
  std::string wire_device;
  std::uint16_t plain_mtu = 0;
  std::uint16_t wire_mtu = 0;
  std::uint16_t max_frame_size = 0;  // what the wire's MTU allows
  QueuePlan plain_queues;
  QueuePlan wire_queues;
  std::vector<WorkerPlan> workers;
  std::vector<RingPlan> rings;
  std::vector<PoolPlan> frames;  // one for each NUMA node that has workers
  PoolPlan punts;
  std::uint32_t held_limit = 0;        // frames that one worker's reassembly may hold back
  std::vector<std::size_t> memory_mb;  // for the EAL, by NUMA node
};

// Refuses a config that this data plane cannot serve, and interfaces that do not exist.
[[nodiscard]] Result<Topology> plan_topology(const SiteConfig& config);
[[nodiscard]] std::string to_string(const Topology& topology);

// The UDP payload that fits one packet of the wire.
[[nodiscard]] std::uint16_t max_frame_size(std::uint16_t wire_mtu, IpVersion version);

}  // namespace penstock::dataplane
