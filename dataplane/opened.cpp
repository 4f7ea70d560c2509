#include "dataplane/opened.hpp"

#include <sys/socket.h>

#include <utility>

#include "penstock/ipc/channel.hpp"

#include "dataplane/steering/hand_over.hpp"

namespace penstock::dataplane {
namespace {

Result<Pool> make(const PoolPlan& plan) {
  return make_pool(plan.name, plan.buffers, plan.data_room, plan.cache, plan.socket);
}

}  // namespace

Result<Opened> open_all(const SiteConfig& config, const Topology& topology) {
  const auto workers = static_cast<unsigned>(topology.workers.size());
  // While there is one thread.
  auto keeper = KernelKeeper::fork(config);
  if (!keeper) return std::unexpected{keeper.error()};
  auto eal = Eal::start({.file_prefix = "penstock-" + config.name,
                         .workers = workers,
                         .cores = config.worker_cores,
                         .devargs = devargs_of(config),
                         .memory_mb = topology.memory_mb});
  if (!eal) return std::unexpected{eal.error()};
  std::vector<Pool> frames;
  for (const PoolPlan& plan : topology.frames) {
    auto pool = make(plan);
    if (!pool) return std::unexpected{pool.error()};
    frames.push_back(*std::move(pool));
  }
  std::vector<rte_mempool*> rx_pools;
  for (const WorkerPlan& worker : topology.workers) rx_pools.push_back(frames[worker.pool].get());
  auto punts = make(topology.punts);
  if (!punts) return std::unexpected{punts.error()};
  // Only once nobody else answers for this site: what follows touches its interfaces.
  auto listener = ipc::listen_at(config.dataplane_socket(), SOCK_SEQPACKET);
  if (!listener) return std::unexpected{listener.error()};
  if (auto shut = keeper->shut_off(); !shut) return std::unexpected{shut.error()};
  auto plain = open_port(config.plain, {.side = PortSide::plain,
                                        .workers = workers,
                                        .handed_over = HandOver::room,
                                        .rx_pools = rx_pools});
  if (!plain) return std::unexpected{plain.error()};
  auto wire = open_port(config.wire.port, {.side = PortSide::wire,
                                           .workers = workers,
                                           .udp_port = config.wire.udp_port,
                                           .handed_over = HandOver::room,
                                           .rx_pools = rx_pools});
  if (!wire) return std::unexpected{wire.error()};
  return Opened{std::move(*eal),   std::move(frames), std::move(*punts),   std::move(*keeper),
                std::move(*plain), std::move(*wire),  std::move(*listener)};
}

}  // namespace penstock::dataplane
