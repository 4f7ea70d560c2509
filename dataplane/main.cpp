// penstock-dataplane: the process that touches every packet and no long-term key.
// Three phases: open what needs privilege, confine, run.
#include <getopt.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "penstock/base/log.hpp"

#include "dataplane/device/eal.hpp"
#include "dataplane/device/kernel_shutoff.hpp"
#include "dataplane/device/open_port.hpp"
#include "dataplane/device/pool.hpp"
#include "dataplane/isa.hpp"
#include "dataplane/main_core.hpp"
#include "dataplane/topology.hpp"

namespace penstock::dataplane {
namespace {

// --- the command line ---------------------------------------------------------------------

struct Options {
  std::string config;
  std::optional<Isa> isa;
  bool show_topology = false;
};

constexpr std::string_view usage =
    "usage: penstock-dataplane --config SITE.toml [--isa v2|v4] [--show-topology]";

Result<Options> read_options(int argc, char** argv) {
  constexpr std::array known{option{"config", required_argument, nullptr, 'c'},
                             option{"isa", required_argument, nullptr, 'i'},
                             option{"show-topology", no_argument, nullptr, 't'}, option{}};
  Options options;
  for (int c = 0; (c = getopt_long(argc, argv, "", known.data(), nullptr)) != -1;) {
    if (c == 't') options.show_topology = true;
    if (c == 'c') options.config = optarg;
    if (c == 'i') options.isa = parse_isa(optarg);
    if (c == '?' || (c == 'i' && !options.isa)) return fail(ErrorKind::config, std::string{usage});
  }
  if (optind != argc || options.config.empty()) return fail(ErrorKind::config, std::string{usage});
  return options;
}

// --- phase 1: open what needs privilege -------------------------------------------------------

// In the order in which they are made; they die in the opposite one.
struct Opened {
  Eal eal;
  Pool frames;
  Pool punts;
  KernelShutoff shutoff;
  std::unique_ptr<Port> plain;
  std::unique_ptr<Port> wire;
  UniqueFd listener;
};

Result<Pool> make(const PoolPlan& plan) {
  return make_pool(plan.name, plan.buffers, plan.data_room, plan.cache);
}

Result<Opened> open_all(const SiteConfig& config, const Topology& topology) {
  const auto workers = static_cast<unsigned>(topology.workers.size());
  auto eal = Eal::start({.file_prefix = "penstock-" + config.name,
                         .workers = workers,
                         .cores = config.worker_cores,
                         .devargs = devargs_of(config),
                         .memory_mb = topology.memory_mb});
  if (!eal) return std::unexpected{eal.error()};
  auto frames = make(topology.frames);
  if (!frames) return std::unexpected{frames.error()};
  auto punts = make(topology.punts);
  if (!punts) return std::unexpected{punts.error()};
  auto shutoff = shut_off_kernel(config);
  if (!shutoff) return std::unexpected{shutoff.error()};
  auto plain = open_port(config.plain, PortSide::plain, workers, frames->get());
  if (!plain) return std::unexpected{plain.error()};
  auto wire = open_port(config.wire.port, PortSide::wire, workers, frames->get());
  if (!wire) return std::unexpected{wire.error()};
  auto listener = ipc::listen_at(config.dataplane_socket(), SOCK_SEQPACKET);
  if (!listener) return std::unexpected{listener.error()};
  return Opened{std::move(*eal),   std::move(*frames), std::move(*punts),   std::move(*shutoff),
                std::move(*plain), std::move(*wire),   std::move(*listener)};
}

// --- phase 2: confine
// -----------------------------------------------------------------------------

// No core dump holds packets or keys, nobody traces us, and no program we might start gains
// anything. Capabilities stay: the kernel's filter is taken back at the end.
void confine() {
  constexpr rlimit no_core{};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL);
  prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);
}

// --- phase 3: run
// -----------------------------------------------------------------------------------

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
                           const ipc::BootId& boot_id, const FrameEngine& engine) {
  ipc::HelloReply hello{.boot_id = boot_id,
                        .max_frame_size = topology.max_frame_size,
                        .lanes = static_cast<std::uint16_t>(topology.workers.size()),
                        .takes_offload = opened.plain->info().takes_offload,
                        .wire = ipc::to_wire(self.endpoint)};
  put_text(hello.isa, name(built_for()));
  put_text(hello.engine, engine.describe());
  put_text(hello.plain_device, topology.plain_device);
  put_text(hello.wire_device, topology.wire_device);
  return hello;
}

// A worker, its mailbox, and its thread.
class RunningWorker {
 public:
  RunningWorker(const WorkerPlan& plan, WorkerSetup setup, FrameEngine engine)
      : lcore_(plan.index + 1), worker_(setup, std::move(engine)) {}
  RunningWorker(const RunningWorker&) = delete;
  RunningWorker& operator=(const RunningWorker&) = delete;
  ~RunningWorker() { stop(); }

  [[nodiscard]] Worker& worker() { return worker_; }
  void start() { is_running_ = rte_eal_remote_launch(entry, this, lcore_) == 0; }
  void stop() {
    stop_.store(true, std::memory_order_relaxed);
    if (std::exchange(is_running_, false)) rte_eal_wait_lcore(lcore_);
  }

 private:
  static int entry(void* self) {
    auto* running = static_cast<RunningWorker*>(self);
    running->worker_.run(running->stop_);
    return 0;
  }

  unsigned lcore_;
  Worker worker_;
  std::atomic<bool> stop_{false};  // written by the main core, read by the worker
  bool is_running_ = false;
};

// Everything that lives while packets flow, in the order in which it is made.
struct Running {
  Wake main_wake;
  std::vector<std::unique_ptr<Mailbox>> mailboxes;
  std::vector<std::unique_ptr<RunningWorker>> workers;
  std::unique_ptr<MainCore> main_core;
};

Result<void> make_workers(const SiteConfig& config, const Topology& topology, Opened& opened,
                          const WireIdentity& self, Running& running) {
  for (const WorkerPlan& plan : topology.workers) {
    auto engine = FrameEngine::create();
    if (!engine) return std::unexpected{engine.error()};
    Mailbox& mailbox = *running.mailboxes.emplace_back(std::make_unique<Mailbox>(plan.index));
    mailbox.main_wake = &running.main_wake;
    running.workers.push_back(
        std::make_unique<RunningWorker>(plan,
                                        WorkerSetup{.plain = opened.plain->queue(plan.plain_queue),
                                                    .wire = opened.wire->queue(plan.wire_queue),
                                                    .plain_info = opened.plain->info(),
                                                    .mailbox = mailbox,
                                                    .frames = opened.frames.get(),
                                                    .punts = opened.punts.get(),
                                                    .held_limit = topology.held_limit,
                                                    .self = self,
                                                    .links = config.links.size(),
                                                    .hold = config.links.front().hold,
                                                    .idle = config.idle},
                                        std::move(*engine)));
  }
  return {};
}

MainCore::Setup plan_main_core(const SiteConfig& config, const Topology& topology, Opened& opened,
                               const WireIdentity& self, const FrameEngine& engine,
                               Running& running) {
  const ipc::BootId boot_id = make_boot_id();
  MainCore::Setup setup{
      .punts = opened.punts.get(),
      .self = self,
      .on_link = config.wire.address,
      .gateway = config.wire.gateway,
      .sessions = {.boot_id = boot_id,
                   .links = config.links.size(),
                   .max_frame_size = topology.max_frame_size,
                   .self = self},
      .control = {.listener = std::move(opened.listener),
                  .hello = make_hello(topology, opened, self, boot_id, engine),
                  .started = monotonic_now()},
      .wake = &running.main_wake,
  };
  for (const LinkConfig& link : config.links) setup.peers.push_back(link.endpoint);
  for (std::size_t i = 0; i < running.workers.size(); ++i) {
    Worker& worker = running.workers[i]->worker();
    setup.workers.push_back({.worker = &worker, .mailbox = running.mailboxes[i].get()});
    setup.sessions.held.push_back(&worker.held());
  }
  return setup;
}

Result<void> run(const SiteConfig& config, const Topology& topology, Opened& opened, int signals) {
  const auto engine = FrameEngine::create();
  if (!engine) return std::unexpected{engine.error()};
  const WireIdentity self{
      .mac = opened.wire->info().mac,
      .endpoint = {.address = config.wire.address.address, .port = config.wire.udp_port}};
  Running running;
  if (auto made = make_workers(config, topology, opened, self, running); !made) return made;
  running.main_core = std::make_unique<MainCore>(
      plan_main_core(config, topology, opened, self, *engine, running), *engine);

  log::info(fmt::format("{} forwards between {} and {} as {}: {}, {}, {}", config.name,
                        topology.plain_device, topology.wire_device, to_string(self.endpoint),
                        name(built_for()), engine->describe(), opened.eal.describe()));
  for (const auto& worker : running.workers) worker->start();
  running.main_core->run(signals);
  log::info("stopping");
  for (const auto& worker : running.workers) worker->stop();
  return {};
}

// --- all of it ----------------------------------------------------------------------------------

// SIGTERM and SIGINT as a descriptor; blocked before the first thread starts.
UniqueFd take_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return UniqueFd{signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)};
}

Result<void> start(int argc, char** argv) {
  const auto options = read_options(argc, argv);
  if (!options) return std::unexpected{options.error()};
  if (!switch_isa(options->isa, argv))
    return fail(ErrorKind::missing,
                "x86-64-v4 is not to be had here: leave --isa out, or say --isa v2");
  const auto config = load_site_config(options->config);
  if (!config) return std::unexpected{config.error()};
  log::start("penstock-dataplane", config->log_level);
  const auto topology = plan_topology(*config);
  if (!topology) return std::unexpected{topology.error()};
  if (options->show_topology) {
    std::fputs(to_string(*topology).c_str(), stdout);
    return {};
  }
  const UniqueFd signals = take_signals();
  auto opened = open_all(*config, *topology);
  if (!opened) return std::unexpected{opened.error()};
  confine();
  return run(*config, *topology, *opened, signals.get());
}

}  // namespace
}  // namespace penstock::dataplane

int main(int argc, char** argv) {
  penstock::log::start("penstock-dataplane", penstock::log::Level::info);
  const auto result = penstock::dataplane::start(argc, argv);
  if (result) return 0;
  penstock::log::error(result.error().message);
  return penstock::exit_refused;
}
