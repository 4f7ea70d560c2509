#include "dataplane/confinement.hpp"

#include <linux/capability.h>
#include <linux/sockios.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::dataplane {
namespace {

using enum AllowedPath::Access;

bool has_ethdev(const SiteConfig& config) {
  return config.plain.kind == PortConfig::Kind::ethdev ||
         config.wire.port.kind == PortConfig::Kind::ethdev;
}

// The controller, packet sockets, and workers that sleep.
std::vector<AllowedCall> own_calls() {
  return {
      {SYS_eventfd2, "the main core and a worker wake each other"},
      {SYS_mlock2, "packets in the queues of a link with a rate stay out of swap"},
      {SYS_poll, "the main core waits"},
      {SYS_ppoll, "a worker waits for packets"},
      {SYS_epoll_wait, "DPDK's interrupt thread waits on after a stop and a SIGCONT"},
      {SYS_prctl, "a worker's short sleeps are not to be rounded up",
       ArgumentRule{.index = 0, .value = PR_SET_TIMERSLACK}},
      {SYS_accept4, "the controller connects"},
      {SYS_recvfrom, "the controller's messages; the keeper's answer"},
      {SYS_recvmsg, "packets longer than a slot of the ring"},
      {SYS_sendto, "messages to the controller; packets leave; the keeper's order to undo"},
      {SYS_getsockopt, "who the controller is; what a port dropped, and what ails it"},
      {SYS_setsockopt, "a jammed receive ring is made anew",
       ArgumentRule{.index = 1, .value = SOL_PACKET}},
      {SYS_socket, "to ask whether an interface that is down still exists",
       ArgumentRule{.index = 0, .value = AF_UNIX}},
      {SYS_ioctl, "to ask that", ArgumentRule{.index = 1, .value = SIOCGIFNAME}},
      {SYS_unlink, "the control socket goes at the end"},
      {SYS_fallocate, "huge pages are given back at the end"},
  };
}

// DPDK's drivers and its interrupt thread: they watch links, take peers that come and go (memif,
// vhost), and close their devices at the end.
std::vector<AllowedCall> driver_calls() {
  return {
      {SYS_epoll_create, "the interrupt thread starts over when what it watches changes"},
      {SYS_epoll_create1, "the same, of a later library"},
      {SYS_epoll_ctl, "the same"},
      {SYS_timerfd_create, "alarms: memif's client tries its server again"},
      {SYS_timerfd_settime, "the same"},
      {SYS_pipe, "the interrupt thread is woken"},
      {SYS_pipe2, "the same"},
      {SYS_fcntl, "descriptors that came from a peer"},
      {SYS_fstat, "the size of memory that came from a peer"},
      {SYS_newfstatat, "the same"},
      {SYS_memfd_create, "memif's rings, made when a peer comes; DPDK's memory"},
      {SYS_ftruncate, "the same"},
      {SYS_socket, "netlink and ioctl, by which drivers speak with the kernel; memif's client"},
      {SYS_connect, "memif's client"},
      {SYS_bind, "netlink"},
      {SYS_listen, "vhost's and memif's server"},
      {SYS_accept, "their peers"},
      {SYS_setsockopt, "netlink, and packet sockets that are closed"},
      {SYS_getsockname, "netlink"},
      {SYS_sendmsg, "descriptors to a peer, netlink"},
      {SYS_sendmmsg, "many at once, by AF_XDP and others"},
      {SYS_recvmmsg, "the same"},
      {SYS_shutdown, "a peer that is let go"},
      {SYS_ioctl, "VFIO, interface flags, taps"},
      {SYS_bpf, "AF_XDP takes its program off the interface"},
      {SYS_pread64, "a PCI device's configuration"},
      {SYS_pwrite64, "the same"},
      {SYS_readv, "taps"},
      {SYS_writev, "taps"},
      {SYS_openat, "what a device's files below /sys say; Landlock keeps to those"},
      {SYS_readlink, "the same"},
      {SYS_lseek, "the same"},
      {SYS_getdents64, "the same"},
      {SYS_unlinkat, "DPDK's own directory"},
      {SYS_flock, "the same"},
      {SYS_munlock, "DPDK's memory goes"},
      {SYS_gettimeofday, "clocks, where the CPU's counter will not do"},
      {SYS_nanosleep, "drivers wait for devices"},
      {SYS_set_robust_list, "the start of a driver's thread"},
      {SYS_rseq, "the same"},
      {SYS_clone3, "the same"},
      {SYS_clone, "the same"},
      {SYS_sched_setaffinity, "the same"},
  };
}

// Closing a device gives back what opening it took.
std::vector<KeptCapability> driver_capabilities() {
  return {
      {CAP_NET_ADMIN, "interface flags and AF_XDP's program are taken back at the end"},
      {CAP_NET_RAW, "mlx5 takes its flow rules back"},
  };
}

// Where a device's sockets lie, if its arguments name one (memif, vhost, virtio_user).
std::optional<std::filesystem::path> socket_of(const std::string& devargs) {
  for (const std::string_view key : {",socket=", ",iface=", ",path="}) {
    const auto at = devargs.find(key);
    if (at == std::string::npos) continue;
    const std::string rest = devargs.substr(at + key.size());
    if (rest.starts_with('/')) return rest.substr(0, rest.find(','));
  }
  return std::nullopt;
}

std::vector<AllowedPath> driver_paths(const SiteConfig& config) {
  std::vector<AllowedPath> paths{{"/sys", read, "devices: their state and counters"}};
  for (const PortConfig* port : {&config.plain, &config.wire.port})
    if (const auto socket = socket_of(port->device))
      paths.push_back({socket->parent_path(), remove_files, "a server's socket goes at the end"});
  return paths;
}

// A call that the list so far refuses, and `more` allows, is allowed.
void append(std::vector<AllowedCall>& calls, std::vector<AllowedCall> more) {
  std::erase_if(calls, [&](const AllowedCall& call) {
    return call.answer == AllowedCall::Answer::refuse &&
           std::ranges::find(more, call.number, &AllowedCall::number) != more.end();
  });
  calls.insert(calls.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
}

}  // namespace

Confinement confinement_of(const SiteConfig& config) {
  Confinement confinement{
      .capabilities = {{CAP_IPC_LOCK, "keys of new sessions are locked, whatever the limit"}},
      .paths = {{config.run_dir, remove_files, "the control socket"}},
      .calls = everyday_calls(),
  };
  append(confinement.calls, own_calls());
  if (!has_ethdev(config)) return confinement;
  append(confinement.calls, driver_calls());
  for (const KeptCapability& capability : driver_capabilities())
    confinement.capabilities.push_back(capability);
  for (AllowedPath& path : driver_paths(config)) confinement.paths.push_back(std::move(path));
  confinement.may_reach_abstract_sockets = true;  // memif's, by default
  return confinement;
}

}  // namespace penstock::dataplane
