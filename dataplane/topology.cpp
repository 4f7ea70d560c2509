#include "dataplane/topology.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include <fmt/format.h>
#include <rte_mbuf.h>

#include "penstock/base/limits.hpp"
#include "penstock/wire/outer.hpp"

#include "dataplane/device/kernel_interface.hpp"
#include "dataplane/session/mailbox.hpp"
#include "dataplane/steering/hand_over.hpp"

namespace penstock::dataplane {
namespace {

// Enough that neither a device's rings nor the longest packet in the smallest frames ever
// starve a worker, and no more than this much memory where buffers are large.
constexpr unsigned most_frame_buffers = 8191;  // one below a power of two: mempools like that
constexpr unsigned least_frame_buffers = 4095;
constexpr std::size_t frame_memory = std::size_t{32} << 20;
constexpr unsigned punt_buffers = 512;  // of a worker
// A handshake message behind the longest headers that it travels behind.
constexpr std::size_t handshake_packet =
    limits::handshake_message + ethernet_header + ipv6_header + udp_header;
constexpr unsigned frame_cache = 256;
constexpr unsigned punt_cache = 32;
// Behind the wire's MTU: an Ethernet header, a tag, and what devices append.
constexpr std::size_t link_overhead = ethernet_header + 4 + 4;
// What EAL, device rings and mempool bookkeeping need besides the buffers.
constexpr std::size_t base_memory = std::size_t{12} << 20;
// What a further queue of an ethdev takes: descriptors, and buffers to send from.
constexpr std::size_t queue_memory = std::size_t{4} << 20;

// An ethdev says its own only once it is probed; what it has more is not used.
constexpr std::uint16_t assumed_mtu = 1500;
// What DPDK's drivers expect a receive buffer to hold, whatever the MTU.
constexpr std::size_t ethdev_buffer = 2048;

Result<std::uint16_t> mtu_of(const PortConfig& port) {
  if (port.kind != PortConfig::Kind::af_packet) return assumed_mtu;
  const auto interface = find_interface(port.device);
  if (!interface) return std::unexpected{interface.error()};
  return interface->mtu;
}

std::size_t least_buffer(const SiteConfig& config) {
  const bool has_ethdev = config.plain.kind == PortConfig::Kind::ethdev ||
                          config.wire.port.kind == PortConfig::Kind::ethdev;
  return has_ethdev ? ethdev_buffer : 0;
}

std::string device_name(const PortConfig& port) {
  return (port.kind == PortConfig::Kind::af_packet ? "af_packet:" : "ethdev:") + port.device;
}

// What a buffer takes of ordinary memory: DPDK lets none cross a page where that can be
// avoided, and pads them so that they spread over memory channels.
std::size_t bytes_a_buffer(const PoolPlan& pool) {
  constexpr std::size_t page = 4096;
  constexpr std::size_t header_and_padding = 2 * 64;
  const std::size_t size = sizeof(rte_mbuf) + header_and_padding + pool.data_room;
  return size <= page ? page / (page / size) : (size + page - 1) / page * page;
}

std::uint16_t data_room(std::size_t packet) {
  const std::size_t lines = (packet + 63) / 64 * 64;
  return static_cast<std::uint16_t>(RTE_PKTMBUF_HEADROOM + lines);
}

// Which NUMA node a core is of; -1: the machine has one, or does not say.
int socket_of(unsigned core) {
  constexpr int most = 8;  // RTE_MAX_NUMA_NODES of a small build
  std::error_code ignored;
  if (!std::filesystem::exists("/sys/devices/system/node/node1", ignored)) return -1;
  for (int node = 0; node < most; ++node)
    if (std::filesystem::exists(fmt::format("/sys/devices/system/cpu/cpu{}/node{}", core, node),
                                ignored))
      return node;
  return -1;
}

unsigned ethdevs(const SiteConfig& config) {
  const auto is_one = [](const PortConfig& port) {
    return port.kind == PortConfig::Kind::ethdev ? 1u : 0u;
  };
  return is_one(config.plain) + is_one(config.wire.port);
}

PoolPlan plan_frames(std::size_t longest_packet) {
  PoolPlan pool{.name = "frames",
                .use = "frames being packed, sealed, received, opened or held back",
                .data_room = data_room(longest_packet),
                .cache = frame_cache};
  const auto affordable = static_cast<unsigned>(frame_memory / bytes_a_buffer(pool));
  pool.buffers = std::clamp(affordable, least_frame_buffers, most_frame_buffers);
  return pool;
}

// What a worker's pool needs besides, so that packets which its queues handed to others, and those
// have not taken yet, starve nobody. Half of a worker's buffers have room for them; where there are
// very many workers not all will be behind at once, and as many again must do.
unsigned frames_in_the_mesh(const PoolPlan& one, unsigned workers, unsigned ethdev_ports) {
  const auto handed_over = ethdev_ports * (workers - 1) * static_cast<unsigned>(HandOver::room);
  const unsigned room = (one.buffers + 1) / 2;
  return handed_over > room ? std::min(handed_over - room, one.buffers + 1) : 0;
}

// A pool for each NUMA node that has workers, and of as many workers' size.
void plan_pools(Topology& topology, std::size_t longest_packet, unsigned ethdev_ports) {
  const PoolPlan one = plan_frames(longest_packet);
  for (WorkerPlan& worker : topology.workers) {
    const auto found = std::ranges::find(topology.frames, worker.socket, &PoolPlan::socket);
    worker.pool = static_cast<std::size_t>(found - topology.frames.begin());
    if (found == topology.frames.end()) {
      PoolPlan& pool = topology.frames.emplace_back(one);
      pool.socket = worker.socket;
      if (worker.pool != 0) pool.name = fmt::format("frames_{}", worker.pool);
    }
    ++topology.frames[worker.pool].workers;
  }
  const auto workers = static_cast<unsigned>(topology.workers.size());
  const unsigned of_a_worker = one.buffers + 1 + frames_in_the_mesh(one, workers, ethdev_ports);
  for (PoolPlan& pool : topology.frames) pool.buffers = of_a_worker * pool.workers - 1;
  topology.punts = {.name = "punts",
                    .use = "packets between the wire and the main core",
                    .buffers = punt_buffers * workers - 1,
                    .data_room = std::max(one.data_room, data_room(handshake_packet)),
                    .cache = punt_cache,
                    .workers = workers};
  topology.held_limit = one.buffers / 4;
}

std::size_t bytes_of(const PoolPlan& pool) { return pool.buffers * bytes_a_buffer(pool); }

void plan_memory(Topology& topology, unsigned ethdev_ports) {
  const std::size_t workers = topology.workers.size();
  const std::size_t steering =
      ethdev_ports * (workers * workers * HandOver::bytes() + (workers - 1) * queue_memory);
  std::vector<std::size_t> bytes(1, base_memory + bytes_of(topology.punts));
  for (const PoolPlan& pool : topology.frames) {
    const auto node = static_cast<std::size_t>(std::max(pool.socket, 0));
    if (node >= bytes.size()) bytes.resize(node + 1);
    // What a device takes lies where the device is, which is not known yet.
    bytes[node] += bytes_of(pool) + steering;
  }
  for (const std::size_t of_node : bytes)
    topology.memory_mb.push_back(of_node == 0 ? 0 : (of_node >> 20) + 1);
}

std::vector<RingPlan> plan_rings(unsigned workers) {
  std::vector<RingPlan> rings;
  for (unsigned index = 0; index < workers; ++index) {
    const std::string worker = fmt::format("worker {}", index);
    rings.push_back({fmt::format("commands_{}", index), "main", worker,
                     decltype(Mailbox::commands)::entries,
                     "what sessions, links and next hops become; packets to send"});
    rings.push_back({fmt::format("notes_{}", index), worker, "main",
                     decltype(Mailbox::notes)::entries, "what became of sessions"});
    rings.push_back({fmt::format("punts_{}", index), worker, "main",
                     decltype(Mailbox::punts)::entries, "handshakes of far sides, ARP, ND, ping"});
    rings.push_back({fmt::format("strangers_{}", index), worker, "main",
                     decltype(Mailbox::strangers)::entries, "handshakes of strangers"});
    rings.push_back({fmt::format("probes_{}", index), worker, "main",
                     decltype(Mailbox::probes)::entries, "path probes and answers"});
    rings.push_back({fmt::format("heard_{}", index), worker, "main",
                     decltype(Mailbox::heard)::entries, "handshakes inside sessions"});
    rings.push_back({fmt::format("traces_{}", index), worker, "main",
                     decltype(Mailbox::traces)::entries, "far sides that may have moved"});
    rings.push_back({fmt::format("reports_{}", index), worker, "main",
                     decltype(Mailbox::reports)::entries, "what far sides say of others' lanes"});
  }
  return rings;
}

}  // namespace

std::uint16_t max_frame_size(std::uint16_t wire_mtu, IpVersion version) {
  const std::size_t headers = (version == IpVersion::v4 ? ipv4_header : ipv6_header) + udp_header;
  const std::size_t room = wire_mtu > headers ? wire_mtu - headers : 0;
  return static_cast<std::uint16_t>(std::min(room, limits::max_frame_size));
}

Result<Topology> plan_topology(const SiteConfig& config) {
  const auto plain_mtu = mtu_of(config.plain);
  if (!plain_mtu) return std::unexpected{plain_mtu.error()};
  const auto wire_mtu = mtu_of(config.wire.port);
  if (!wire_mtu) return std::unexpected{wire_mtu.error()};

  Topology topology{
      .site = config.name,
      .plain_device = device_name(config.plain),
      .wire_device = device_name(config.wire.port),
      .plain_mtu = *plain_mtu,
      .wire_mtu = *wire_mtu,
      .max_frame_size = max_frame_size(*wire_mtu, config.wire.address.address.version),
      .rings = plan_rings(config.worker_count)};
  if (topology.max_frame_size < limits::min_frame_size)
    return fail(
        ErrorKind::config,
        fmt::format("the wire port's MTU of {} is too small for frames; set it to 576 or more",
                    *wire_mtu));
  for (unsigned index = 0; index < config.worker_count; ++index) {
    std::optional<unsigned> core;
    if (index < config.worker_cores.size()) core = config.worker_cores[index];
    topology.workers.push_back(
        {.index = index, .core = core, .socket = core ? socket_of(*core) : -1, .lane = index});
  }
  plan_pools(topology, std::max(*wire_mtu + link_overhead, least_buffer(config)), ethdevs(config));
  plan_memory(topology, ethdevs(config));
  return topology;
}

namespace {

std::string queue_of(const WorkerPlan& worker, std::string_view port, const QueuePlan& plan) {
  if (plan.queues == 0 || worker.index < plan.queues)
    return fmt::format("{} queue {}{}", port, worker.index,
                       plan.queues == 0 ? " if there are so many" : "");
  return fmt::format("no {} queue, worker {} sends for it", port, worker.index % plan.queues);
}

std::string place_of(const WorkerPlan& worker) {
  if (!worker.core) return "floats";
  if (worker.socket < 0) return fmt::format("core {}", *worker.core);
  return fmt::format("core {} of node {}", *worker.core, worker.socket);
}

std::string mesh_of(std::string_view port, const QueuePlan& plan, std::size_t workers) {
  if (!plan.is_meshed) return {};
  std::string text = fmt::format("  mesh        {} port: what a queue receives and is another's, "
                                 "to the worker whose it is; {} packets a pair\n",
                                 port, HandOver::room);
  if (plan.queues < workers)
    text += fmt::format("  mesh        {} port: what workers {} to {} send, to those with queues\n",
                        port, plan.queues, workers - 1);
  return text;
}

std::string queues_of(const QueuePlan& plan) {
  if (plan.queues == 0) return {};
  return fmt::format(", {} queue{}", plan.queues, plan.queues == 1 ? "" : "s");
}

}  // namespace

std::string to_string(const Topology& t) {
  std::string text = fmt::format(
      "site {}\n  plain port  {}, MTU {}{}\n  wire port   {}, MTU {}, frames up to {} bytes{}\n",
      t.site, t.plain_device, t.plain_mtu, queues_of(t.plain_queues), t.wire_device, t.wire_mtu,
      t.max_frame_size, queues_of(t.wire_queues));
  text +=
      "  main core   control socket, mailboxes, ARP, neighbour discovery, ping; owns no queue\n";
  for (const WorkerPlan& worker : t.workers)
    text += fmt::format("  worker {:<4} {}; {}; {}; sends on lane {}\n", worker.index,
                        place_of(worker), queue_of(worker, "plain", t.plain_queues),
                        queue_of(worker, "wire", t.wire_queues), worker.lane);
  for (const RingPlan& ring : t.rings)
    text += fmt::format("  ring        {:<12} {:>9} -> {:<9} {:>5} entries: {}\n", ring.name,
                        ring.from, ring.to, ring.entries, ring.carries);
  text += mesh_of("plain", t.plain_queues, t.workers.size());
  text += mesh_of("wire", t.wire_queues, t.workers.size());
  const auto pool_text = [](const PoolPlan& pool) {
    return fmt::format("  pool        {:<12} {} buffers of {} bytes{}: {}\n", pool.name,
                       pool.buffers, pool.data_room,
                       pool.socket < 0 ? "" : fmt::format(" on node {}", pool.socket), pool.use);
  };
  for (const PoolPlan& pool : t.frames) text += pool_text(pool);
  text += pool_text(t.punts);
  text += fmt::format("  held back   {} frames at most, by a worker's reassembly\n", t.held_limit);
  text += fmt::format("  memory      {} MB\n",
                      std::accumulate(t.memory_mb.begin(), t.memory_mb.end(), std::size_t{0}));
  return text;
}

}  // namespace penstock::dataplane
