#include "dataplane_process.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>

#include <rte_mbuf.h>

#include "penstock/base/check.hpp"
#include "penstock/ipc/channel.hpp"
#include "penstock/wire/frame.hpp"
#include "penstock/wire/outer.hpp"

#include "dataplane/seat.hpp"

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
  std::array<dataplane::Pool, most_workers> frames;
  for (dataplane::Pool& pool : frames) pool = dataplane::test::make_test_pool(frame_buffers);
  return {.frames = std::move(frames),
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
                                .lanes = static_cast<std::uint16_t>(profile.workers),
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
                                   const std::filesystem::path& socket, Time now)
    : steered_from_(load_u8(&boot_id.back())) {
  auto setup = plan_main_core(profile, boot_id, socket, now);
  for (unsigned worker = 0; worker < profile.workers; ++worker) {
    add_worker(profile);
    Post& post = *posts_.back();
    setup.workers.push_back({.worker = post.worker.get(), .mailbox = &post.mailbox});
    setup.sessions.held.push_back(&post.worker->held());
  }
  setup.wake = &wake_;
  main_core_ =
      std::make_unique<dataplane::MainCore>(std::move(setup), Machine::of(profile.index).engine);
}

void DataplaneProcess::add_worker(const SiteProfile& profile) {
  Machine& machine = Machine::of(profile.index);
  const auto index = static_cast<unsigned>(posts_.size());
  Post& post = *posts_.emplace_back(std::make_unique<Post>(index));
  post.plain.slot_capacity = 2048;
  post.mailbox.main_wake = &wake_;
  post.worker = std::make_unique<dataplane::Worker>(
      dataplane::WorkerSetup{.plain = post.plain,
                             .wire = post.wire,
                             .plain_info = plain_info_,
                             .mailbox = post.mailbox,
                             .seat = {.index = index, .count = profile.workers},
                             .frames = machine.frames[index].get(),
                             .punts = machine.punts.get(),
                             .held_limit = frame_buffers / 4,
                             .self = {.mac = profile.mac, .endpoint = profile.address},
                             .idle = IdleMode::spin},
      make_engine());
}

DataplaneProcess::~DataplaneProcess() {
  std::atomic<bool> stop{true};
  for (const auto& post : posts_) post->worker->run(stop);  // lets go of every buffer
  main_core_.reset();
  for (const auto& post : posts_) {
    while (const auto command = post->mailbox.commands.pop())
      if (command->packet != nullptr) rte_pktmbuf_free(command->packet);
    for (auto* const ring : {&post->mailbox.strangers, &post->mailbox.probes})
      while (const auto punted = ring->pop()) rte_pktmbuf_free(punted->packet);
    while (const auto punted = post->mailbox.punts.pop()) rte_pktmbuf_free(punted->packet);
    while (const auto heard = post->mailbox.heard.pop()) rte_pktmbuf_free(heard->message);
  }
}

std::optional<unsigned> DataplaneProcess::owner_of(Bytes packet) const {
  const auto datagram = parse_udp(packet);
  if (!datagram) return std::nullopt;
  const auto header = read_frame_header(datagram->payload);
  if (!header) return std::nullopt;
  return dataplane::Seat::owner_of(header->spi.lane(), workers());
}

bool DataplaneProcess::has_work(unsigned worker, Time now) const {
  const Post& post = *posts_[worker];
  return !post.plain.incoming.empty() || !post.wire.incoming.empty() ||
         !post.mailbox.commands.empty() || post.worker->deadline() <= now;
}

bool DataplaneProcess::has_commands(unsigned but) const {
  for (unsigned worker = 0; worker < posts_.size(); ++worker)
    if (worker != but && !posts_[worker]->mailbox.commands.empty()) return true;
  return false;
}

void DataplaneProcess::lose_commands(unsigned worker, dataplane::Command::Kind kind) {
  auto& commands = posts_[worker]->mailbox.commands;
  std::vector<dataplane::Command> kept;
  while (const auto command = commands.pop())
    if (command->kind != kind) kept.push_back(*command);
  for (const dataplane::Command& command : kept) check(commands.push(command), "as many had room");
}

Time DataplaneProcess::deadline() const {
  Time first = main_core_->deadline();
  for (const auto& post : posts_) first = std::min(first, post->worker->deadline());
  return first;
}

bool DataplaneProcess::has_news() const {
  pollfd rung{.fd = wake_.fd(), .events = POLLIN, .revents = 0};
  return poll(&rung, 1, 0) > 0;
}

bool DataplaneProcess::turn_main_core(Time now, bool has_caller) {
  const bool is_rung = has_news();
  if (!has_caller && !is_rung && now < main_core_->deadline()) return false;
  main_core_->turn(now, {.wake = is_rung, .connection = has_caller, .controller = has_caller});
  // What a controller says on a new connection waits behind it.
  if (has_caller) main_core_->turn(now, {.wake = false, .connection = false});
  return true;
}

const dataplane::SessionRecord* DataplaneProcess::current(unsigned worker) const {
  for (const auto& record : sessions())
    if (record->shares[worker]->state() == ipc::SessionState::current) return record.get();
  return nullptr;
}

const dataplane::SessionRecord* DataplaneProcess::current() const {
  const dataplane::SessionRecord* const first = current(0);
  for (unsigned worker = 1; worker < workers(); ++worker)
    if (current(worker) != first) return nullptr;
  return first;
}

}  // namespace penstock::simulation
