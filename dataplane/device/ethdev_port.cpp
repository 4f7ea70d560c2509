#include "dataplane/device/ethdev_port.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "penstock/base/check.hpp"
#include "penstock/base/log.hpp"

#include "dataplane/device/devargs.hpp"

namespace penstock::dataplane {
namespace {

constexpr std::uint16_t wanted_rx_descriptors = 1024;
constexpr std::uint16_t wanted_tx_descriptors = 512;
constexpr unsigned tx_cache = 32;
constexpr std::uint32_t link_overhead = RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN;

std::unexpected<Error> refused(const char* what, int error) {
  return fail_errno(what, error < 0 ? -error : error);
}

}  // namespace

Result<std::unique_ptr<Port>> EthdevPort::open(const PortConfig& config, const PortSetup& setup) {
  const auto name = device_name(config.device);
  std::uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) != 0)
    return fail(ErrorKind::missing,
                fmt::format("DPDK found no device {}: check its name, and for a PCI address that "
                            "the device is bound to vfio-pci (or is an mlx5)",
                            name));
  std::unique_ptr<EthdevPort> port{new EthdevPort(id)};
  port->info_.name = "ethdev:" + name;
  auto ready = port->configure(setup);
  if (ready) ready = port->start(setup.side);
  if (!ready)
    return fail(ready.error().kind, fmt::format("device {}: {}", name, ready.error().message));
  return port;
}

Result<void> EthdevPort::configure(const PortSetup& setup) {
  rte_eth_dev_info device{};
  if (const int error = rte_eth_dev_info_get(port_, &device); error != 0)
    return refused("it does not say what it can", error);
  if (const int error = rte_eth_dev_get_mtu(port_, &info_.mtu); error != 0)
    return refused("it does not say its MTU", error);
  rte_ether_addr mac{};
  if (const int error = rte_eth_macaddr_get(port_, &mac); error != 0)
    return refused("it does not say its MAC address", error);
  std::memcpy(info_.mac.bytes.data(), mac.addr_bytes, info_.mac.bytes.size());

  rte_eth_conf conf{};
  conf.rxmode.mtu = info_.mtu;
  const auto room =
      rte_pktmbuf_data_room_size(setup.rx_pools.front()) - std::uint32_t{RTE_PKTMBUF_HEADROOM};
  if (info_.mtu + link_overhead > room)
    conf.rxmode.offloads |= device.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;

  constexpr std::uint64_t flows = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP;
  // Queues of a device that cannot spread flows are of use as well: what is behind it may fill
  // them, and each worker sends on its own. Not memif's: it offers as many as one may ask for, but
  // has only what the other end has too, and says so to nobody. Two workers would share a ring.
  const bool is_memif = std::string_view{device.driver_name} == "net_memif";
  const auto count = is_memif ? 1u
                              : std::min({setup.workers, unsigned{device.max_rx_queues},
                                          unsigned{device.max_tx_queues}});
  const bool has_rss = (device.flow_type_rss_offloads & flows) != 0;
  info_.spreads = has_rss ? PortInfo::Spreads::flows_alone : PortInfo::Spreads::by_software;
  if (count > 1 && has_rss) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = device.flow_type_rss_offloads & flows;
  }
  const auto queue_count = static_cast<std::uint16_t>(count);
  if (const int error = rte_eth_dev_configure(port_, queue_count, queue_count, &conf); error != 0)
    return refused("it cannot be configured", error);
  return set_up_queues(queue_count, setup);
}

Result<void> EthdevPort::set_up_queues(std::uint16_t queues, const PortSetup& setup) {
  auto rx_descriptors = wanted_rx_descriptors;
  auto tx_descriptors = wanted_tx_descriptors;
  if (const int error = rte_eth_dev_adjust_nb_rx_tx_desc(port_, &rx_descriptors, &tx_descriptors);
      error != 0)
    return refused("its queues cannot be sized", error);

  const std::uint32_t longest = info_.mtu + link_overhead;
  // A worker without a queue of its own may have as many on the way to one that has.
  const auto buffers = setup.workers * (std::max(unsigned{tx_descriptors}, setup.handed_over) +
                                        2 * unsigned{EthdevQueue::max_burst});
  auto pool = make_pool(fmt::format("tx_{}", port_), buffers,
                        static_cast<std::uint16_t>(
                            std::min<std::uint32_t>(longest + RTE_PKTMBUF_HEADROOM, UINT16_MAX)),
                        tx_cache);
  if (!pool) return std::unexpected(pool.error());
  tx_pool_ = *std::move(pool);

  const auto socket = static_cast<unsigned>(std::max(rte_eth_dev_socket_id(port_), 0));
  for (std::uint16_t queue = 0; queue < queues; ++queue) {
    if (const int error = rte_eth_rx_queue_setup(port_, queue, rx_descriptors, socket, nullptr,
                                                 setup.rx_pools[queue]);
        error != 0)
      return refused("a receive queue cannot be set up", error);
    if (const int error = rte_eth_tx_queue_setup(port_, queue, tx_descriptors, socket, nullptr);
        error != 0)
      return refused("a transmit queue cannot be set up", error);
    queues_.push_back(std::make_unique<EthdevQueue>(port_, queue, longest, tx_pool_.get()));
  }
  return {};
}

Result<void> EthdevPort::start(PortSide side) const {
  if (const int error = rte_eth_dev_start(port_); error != 0)
    return refused("it does not start", error);
  (void)rte_eth_stats_reset(port_);
  // Tags stay in the packets. Devices that cannot strip or filter them refuse, which is as good.
  (void)rte_eth_dev_set_vlan_offload(port_, 0);
  const int error = side == PortSide::plain ? rte_eth_promiscuous_enable(port_)
                                            : rte_eth_allmulticast_enable(port_);
  // Devices without address filters (memif, rings) have no such mode.
  if (error != 0 && error != -ENOTSUP) return refused("it cannot listen to all addresses", error);
  return {};
}

EthdevPort::~EthdevPort() {
  queues_.clear();
  (void)rte_eth_dev_stop(port_);
  (void)rte_eth_dev_close(port_);
}

Port::InMbufs EthdevPort::in_mbufs() const {
  return {.tx_pool = tx_pool_.get(), .longest = info_.mtu + link_overhead};
}

PortQueue& EthdevPort::queue(unsigned index) {
  check(index < queues_.size(), "no such queue");
  return *queues_[index];
}

}  // namespace penstock::dataplane
