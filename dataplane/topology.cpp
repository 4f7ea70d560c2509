#include "dataplane/topology.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <rte_mbuf.h>

#include "penstock/base/limits.hpp"
#include "penstock/wire/outer.hpp"

#include "dataplane/device/kernel_interface.hpp"
#include "dataplane/session/mailbox.hpp"

namespace penstock::dataplane {
namespace {

// Enough that neither a device's rings nor the longest packet in the smallest frames ever
// starve a worker, and no more than this much memory where buffers are large.
constexpr unsigned most_frame_buffers = 8191;  // one below a power of two: mempools like that
constexpr unsigned least_frame_buffers = 4095;
constexpr std::size_t frame_memory = std::size_t{32} << 20;
constexpr unsigned punt_buffers = 511;
// A handshake message behind the longest headers that it travels behind.
constexpr std::size_t handshake_packet =
    limits::handshake_message + ethernet_header + ipv6_header + udp_header;
constexpr unsigned frame_cache = 256;
constexpr unsigned punt_cache = 32;
// Behind the wire's MTU: an Ethernet header, a tag, and what devices append.
constexpr std::size_t link_overhead = ethernet_header + 4 + 4;
// What EAL, device rings and mempool bookkeeping need besides the buffers.
constexpr std::size_t base_memory = std::size_t{12} << 20;

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

PoolPlan plan_frames(std::size_t longest_packet) {
  PoolPlan pool{.name = "frames",
                .use = "frames being packed, sealed, received, opened or held back",
                .data_room = data_room(longest_packet),
                .cache = frame_cache};
  const auto affordable = static_cast<unsigned>(frame_memory / bytes_a_buffer(pool));
  pool.buffers = std::clamp(affordable, least_frame_buffers, most_frame_buffers);
  return pool;
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

Result<void> judge(const SiteConfig& config) {
  const auto refuse = [&](std::string why) {
    return fail(ErrorKind::config, fmt::format("{}: {}", config.file.string(), why));
  };
  if (config.worker_count != 1)
    return refuse("[site] workers: this version runs one worker; name one core, or say 1");
  return {};
}

}  // namespace

std::uint16_t max_frame_size(std::uint16_t wire_mtu, IpVersion version) {
  const std::size_t headers = (version == IpVersion::v4 ? ipv4_header : ipv6_header) + udp_header;
  const std::size_t room = wire_mtu > headers ? wire_mtu - headers : 0;
  return static_cast<std::uint16_t>(std::min(room, limits::max_frame_size));
}

Result<Topology> plan_topology(const SiteConfig& config) {
  if (auto verdict = judge(config); !verdict) return std::unexpected{verdict.error()};
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
        {.index = index, .core = core, .plain_queue = index, .wire_queue = index, .lane = index});
  }
  topology.frames = plan_frames(std::max(*wire_mtu + link_overhead, least_buffer(config)));
  topology.punts = {.name = "punts",
                    .use = "packets between the wire and the main core",
                    .buffers = punt_buffers,
                    .data_room = std::max(topology.frames.data_room, data_room(handshake_packet)),
                    .cache = punt_cache};
  topology.held_limit = topology.frames.buffers / 4 / config.worker_count;
  const std::size_t memory = base_memory +
                             topology.frames.buffers * bytes_a_buffer(topology.frames) +
                             topology.punts.buffers * bytes_a_buffer(topology.punts);
  topology.memory_mb = (memory >> 20) + 1;
  return topology;
}

std::string to_string(const Topology& t) {
  std::string text = fmt::format(
      "site {}\n  plain port  {}, MTU {}\n  wire port   {}, MTU {}, frames up to {} bytes\n",
      t.site, t.plain_device, t.plain_mtu, t.wire_device, t.wire_mtu, t.max_frame_size);
  text +=
      "  main core   control socket, mailboxes, ARP, neighbour discovery, ping; owns no queue\n";
  for (const WorkerPlan& worker : t.workers)
    text += fmt::format("  worker {}    {}; plain queue {}, wire queue {}; sends on lane {}\n",
                        worker.index, worker.core ? fmt::format("core {}", *worker.core) : "floats",
                        worker.plain_queue, worker.wire_queue, worker.lane);
  for (const RingPlan& ring : t.rings)
    text += fmt::format("  ring        {:<11} {:>8} -> {:<8} {:>5} entries: {}\n", ring.name,
                        ring.from, ring.to, ring.entries, ring.carries);
  for (const PoolPlan* pool : {&t.frames, &t.punts})
    text += fmt::format("  pool        {:<11} {} buffers of {} bytes: {}\n", pool->name,
                        pool->buffers, pool->data_room, pool->use);
  text += fmt::format("  held back   {} frames at most, by a worker's reassembly\n", t.held_limit);
  text += fmt::format("  memory      {} MB\n", t.memory_mb);
  return text;
}

}  // namespace penstock::dataplane
