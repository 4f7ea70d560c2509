#include "dataplane_process.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>

#include <rte_mbuf.h>

#include "penstock/base/check.hpp"
#include "penstock/ipc/channel.hpp"

namespace penstock::simulation {
namespace {

constexpr unsigned frame_buffers = 1023;
constexpr unsigned punt_buffers = 255;

FrameEngine make_engine() {
  static const auto plan = EnginePlan::measure();
  check(plan.has_value(), "this CPU has AES-NI");
  auto engine = FrameEngine::create(*plan);
  check(engine.has_value(), "the self-test passes");
  return std::move(*engine);
}

Machine make_machine() {
  return {.frames = dataplane::test::make_test_pool(frame_buffers),
          .punts = dataplane::test::make_test_pool(punt_buffers),
          .engine = make_engine()};
}

dataplane::MainCore::Setup plan_main_core(const SiteProfile& profile, const ipc::BootId& boot_id,
                                          const std::filesystem::path& socket, Time now) {
  const dataplane::WireIdentity self{.mac = profile.mac, .endpoint = profile.address};
  auto listener = ipc::listen_at(socket, SOCK_SEQPACKET);
  check(listener.has_value(), "a socket in the temporary directory");
  return {.punts = Machine::of(profile.index).punts.get(),
          .self = self,
          .on_link = profile.network,
          .peers = {profile.link.endpoint},
          .sessions = {.boot_id = boot_id, .max_frame_size = profile.max_frame_size, .self = self},
          .control = {.listener = std::move(*listener),
                      .hello = {.is_accepted = 1,
                                .boot_id = boot_id,
                                .max_frame_size = profile.max_frame_size,
                                .lanes = 1,
                                .takes_offload = 1,
                                .wire = ipc::to_wire(profile.address)},
                      .started = now}};
}

}  // namespace

Machine& Machine::of(int site) {
  static std::array<Machine, 2> machines{make_machine(), make_machine()};
  return machines[static_cast<std::size_t>(site)];
}

DataplaneProcess::DataplaneProcess(const SiteProfile& profile, const ipc::BootId& boot_id,
                                   const std::filesystem::path& socket, Time now) {
  Machine& machine = Machine::of(profile.index);
  plain.slot_capacity = 2048;
  mailbox_.main_wake = &wake_;
  worker_ = std::make_unique<dataplane::Worker>(
      dataplane::WorkerSetup{.plain = plain,
                             .wire = wire,
                             .plain_info = plain_info_,
                             .mailbox = mailbox_,
                             .frames = machine.frames.get(),
                             .punts = machine.punts.get(),
                             .held_limit = frame_buffers / 4,
                             .self = {.mac = profile.mac, .endpoint = profile.address},
                             .idle = IdleMode::spin},
      make_engine());
  auto setup = plan_main_core(profile, boot_id, socket, now);
  setup.workers.push_back({.worker = worker_.get(), .mailbox = &mailbox_});
  setup.sessions.held.push_back(&worker_->held());
  setup.wake = &wake_;
  main_core_ = std::make_unique<dataplane::MainCore>(std::move(setup), machine.engine);
}

DataplaneProcess::~DataplaneProcess() {
  std::atomic<bool> stop{true};
  worker_->run(stop);  // lets go of every buffer
  main_core_.reset();
  while (const auto command = mailbox_.commands.pop())
    if (command->packet != nullptr) rte_pktmbuf_free(command->packet);
  while (const auto punted = mailbox_.punts.pop()) rte_pktmbuf_free(punted->packet);
  while (const auto heard = mailbox_.heard.pop()) rte_pktmbuf_free(heard->message);
}

bool DataplaneProcess::turn_main_core(Time now, bool has_caller) {
  pollfd rung{.fd = wake_.fd(), .events = POLLIN, .revents = 0};
  const bool has_news = poll(&rung, 1, 0) > 0;
  if (!has_caller && !has_news && now < main_core_->deadline()) return false;
  main_core_->turn(now, {.wake = has_news, .connection = has_caller, .controller = has_caller});
  // What a controller says on a new connection waits behind it.
  if (has_caller) main_core_->turn(now, {.wake = false, .connection = false});
  return true;
}

const dataplane::SessionRecord* DataplaneProcess::current() const {
  for (const auto& record : sessions())
    if (record->shares[0]->state() == ipc::SessionState::current) return record.get();
  return nullptr;
}

}  // namespace penstock::simulation
