#include "dataplane/running.hpp"

#include <sys/random.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rte_launch.h>

#include "penstock/base/log.hpp"

#include "dataplane/isa.hpp"
#include "dataplane/main_core.hpp"
#include "dataplane/steering/steering.hpp"

namespace penstock::dataplane {
namespace {

template <std::size_t N>
void put_text(std::array<char, N>& to, std::string_view text) {
  text.copy(to.data(), N - 1);
}

ipc::BootId make_boot_id() {
  ipc::BootId id;
  check(getrandom(id.data(), id.size(), 0) == static_cast<ssize_t>(id.size()), "randomness");
  return id;
}

ipc::HelloReply make_hello(const Topology& topology, const Opened& opened, const WireIdentity& self,
                           const ipc::BootId& boot_id, const EnginePlan& plan) {
  ipc::HelloReply hello{.boot_id = boot_id,
                        .max_frame_size = topology.max_frame_size,
                        .lanes = static_cast<std::uint16_t>(topology.workers.size()),
                        .takes_offload = opened.plain->info().takes_offload,
                        .wire = ipc::to_wire(self.endpoint)};
  put_text(hello.isa, name(built_for()));
  put_text(hello.engine, plan.describe());
  for (std::size_t i = 0; i < protections.size(); ++i)
    put_text(hello.engine_protections[i], plan.describe(protections[i].protection));
  put_text(hello.plain_device, topology.plain_device);
  put_text(hello.wire_device, topology.wire_device);
  return hello;
}

// A worker, its mailbox, and its thread.
class RunningWorker {
 public:
  RunningWorker(const WorkerPlan& plan, WorkerSetup setup, FrameEngine engine)
      : lcore_(plan.index + 1), mailbox_(setup.mailbox), worker_(setup, std::move(engine)) {}
  RunningWorker(const RunningWorker&) = delete;
  RunningWorker& operator=(const RunningWorker&) = delete;
  ~RunningWorker() {
    ask_to_stop();
    join();
  }

  [[nodiscard]] Worker& worker() { return worker_; }
  void start() { is_running_ = rte_eal_remote_launch(entry, this, lcore_) == 0; }
  void ask_to_stop() {
    stop_.store(true, std::memory_order_relaxed);
    mailbox_.worker_wake.signal();
  }
  void join() {
    if (std::exchange(is_running_, false)) rte_eal_wait_lcore(lcore_);
  }

 private:
  static int entry(void* self) {
    auto* running = static_cast<RunningWorker*>(self);
    running->worker_.run(running->stop_);
    return 0;
  }

  unsigned lcore_;
  Mailbox& mailbox_;
  Worker worker_;
  std::atomic<bool> stop_{false};  // written by the main core, read by the worker
  bool is_running_ = false;
};

// Everything that lives while packets flow, in the order in which it is made.
struct Running {
  Wake main_wake;
  ExpectedPeers expected;
  std::vector<std::unique_ptr<Mailbox>> mailboxes;
  std::vector<Doorbell> bells;
  std::optional<SteeredPort> plain;
  std::optional<SteeredPort> wire;
  std::vector<std::unique_ptr<RunningWorker>> workers;
  std::unique_ptr<MainCore> main_core;
};

// What is between the ports and the workers, and between the workers.
void make_queues(const SiteConfig& config, const Topology& topology, Opened& opened,
                 Running& running) {
  std::vector<int> sockets;
  running.bells = std::vector<Doorbell>(topology.workers.size());
  for (const WorkerPlan& plan : topology.workers) {
    Mailbox& mailbox = *running.mailboxes.emplace_back(std::make_unique<Mailbox>(plan.index));
    mailbox.main_wake = &running.main_wake;
    running.bells[plan.index].wakes(mailbox.worker_wake);
    sockets.push_back(plan.socket);
  }
  running.plain.emplace(*opened.plain, PortSide::plain, std::uint16_t{0}, running.bells, sockets);
  running.wire.emplace(*opened.wire, PortSide::wire, config.wire.udp_port, running.bells, sockets);
}

Result<void> make_workers(const SiteConfig& config, const Topology& topology, Opened& opened,
                          const WireIdentity& self, const EnginePlan& crypto, Running& running) {
  std::vector<std::uint16_t> vlans;
  for (const LinkConfig& link : config.links) vlans.push_back(link.vlan);
  const auto workers = static_cast<unsigned>(topology.workers.size());
  for (const WorkerPlan& plan : topology.workers) {
    auto engine = FrameEngine::create(crypto);
    if (!engine) return std::unexpected{engine.error()};
    running.workers.push_back(
        std::make_unique<RunningWorker>(plan,
                                        WorkerSetup{.plain = running.plain->queue(plan.index),
                                                    .wire = running.wire->queue(plan.index),
                                                    .plain_info = opened.plain->info(),
                                                    .mailbox = *running.mailboxes[plan.index],
                                                    .seat = {plan.index, workers},
                                                    .frames = opened.frames[plan.pool].get(),
                                                    .punts = opened.punts.get(),
                                                    .held_limit = topology.held_limit,
                                                    .self = self,
                                                    .expected = &running.expected,
                                                    .vlans = vlans,
                                                    .idle = config.idle,
                                                    .bell = &running.bells[plan.index]},
                                        std::move(*engine)));
  }
  return {};
}

MainCore::Setup plan_main_core(const SiteConfig& config, const Topology& topology, Opened& opened,
                               const WireIdentity& self, const EnginePlan& crypto,
                               Running& running) {
  const ipc::BootId boot_id = make_boot_id();
  MainCore::Setup setup{
      .punts = opened.punts.get(),
      .self = self,
      .on_link = config.wire.address,
      .gateway = config.wire.gateway,
      .sessions = {.boot_id = boot_id,
                   .max_frame_size = topology.max_frame_size,
                   .self = self,
                   .lab = config.lab},
      .control = {.listener = std::move(opened.listener),
                  .hello = make_hello(topology, opened, self, boot_id, crypto),
                  .started = monotonic_now(),
                  .topology = to_string(topology)},
      .expected = &running.expected,
      .wake = &running.main_wake,
  };
  for (const LinkConfig& link : config.links) setup.peers.push_back(link.endpoint);
  setup.control.peers = setup.peers;
  for (std::size_t i = 0; i < running.workers.size(); ++i) {
    Worker& worker = running.workers[i]->worker();
    setup.workers.push_back({.worker = &worker, .mailbox = running.mailboxes[i].get()});
    setup.sessions.held.push_back(&worker.held());
  }
  return setup;
}

// All at once, as each may sleep; what the last of them gave others to send leaves, too: here, as
// nobody else has the queues any more.
void stop(Running& running) {
  for (const auto& worker : running.workers) worker->ask_to_stop();
  for (const auto& worker : running.workers) worker->join();
  for (unsigned worker = 0; worker < running.workers.size(); ++worker) {
    running.plain->queue(worker).serve();
    running.wire->queue(worker).serve();
  }
}

}  // namespace

Result<void> run(const SiteConfig& config, const Topology& topology, Opened& opened,
                 const EnginePlan& crypto, const FrameEngine& engine, int signal_fd) {
  const WireIdentity self{
      .mac = opened.wire->info().mac,
      .endpoint = {.address = config.wire.address.address, .port = config.wire.udp_port}};
  Running running;
  make_queues(config, topology, opened, running);
  if (auto made = make_workers(config, topology, opened, self, crypto, running); !made) return made;
  running.main_core = std::make_unique<MainCore>(
      plan_main_core(config, topology, opened, self, crypto, running), engine);

  log::info(fmt::format("{} forwards between {} and {} as {}: {}, {}, {}", config.name,
                        topology.plain_device, topology.wire_device, to_string(self.endpoint),
                        name(built_for()), crypto.describe(), opened.eal.describe()));
  if (!secret_memory::usage().is_locked) log::warn(secret_memory::not_locked);
  for (const auto& worker : running.workers) worker->start();
  const bool was_asked = running.main_core->run(signal_fd);
  log::info("stopping");
  stop(running);
  if (!was_asked)
    return fail(ErrorKind::missing, "a port is gone; a new start takes it when it is back");
  return {};
}

}  // namespace penstock::dataplane
