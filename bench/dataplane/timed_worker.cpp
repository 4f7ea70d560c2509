#include "bench/dataplane/timed_worker.hpp"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <ctime>
#include <thread>

#include "bench/dataplane/timed_port.hpp"
#include "penstock/base/check.hpp"
#include "penstock/link/packer.hpp"
#include "penstock/wire/outer.hpp"
#include "tests/unit/dataplane/fixture/environment.hpp"

#include "dataplane/control/session_directory.hpp"
#include "dataplane/worker.hpp"

namespace penstock::bench {
namespace {

using namespace dataplane;

constexpr std::size_t frame_size = 1472;
constexpr std::size_t packet_size = 1000;
constexpr unsigned buffers = 2047;

WireIdentity identity(int index) {
  return {.mac = {{std::byte{2}, {}, {}, {}, {}, static_cast<std::byte>(index)}},
          .endpoint = {.address = *parse_ip("192.0.2." + std::to_string(index)), .port = 7670}};
}

FrameEngine make_engine() {
  static const auto plan = EnginePlan::measure();
  check(plan.has_value(), "this CPU has AES-NI");
  auto engine = FrameEngine::create(*plan);
  check(engine.has_value(), "the self-test passes");
  return std::move(*engine);
}

ipc::InstallSession make_session(const Load& load) {
  ipc::InstallSession session;
  session.session_id.fill(std::byte{1});
  session.local_spi_base = Spi::make(7, 2, 0).value;
  session.remote_spi_base = Spi::make(9, 3, 0).value;
  session.role = ipc::Role::responder;
  session.tag = limits::default_tag;
  session.suite = Suite{KeyExchange::x25519, Protection::aes256_ctr_sha256}.code();
  session.frame_size = frame_size;
  session.lanes_out = session.lanes_in = 1;
  session.peer = ipc::to_wire(identity(2).endpoint);
  session.max_age_ns = static_cast<std::uint64_t>(Time{std::chrono::hours{1}}.count());
  session.shaping.mode = ShapeMode::constant;
  session.shaping.rates[0] = load.rate * 1000;
  session.shaping.queue_ns = 50'000'000;
  for (auto* lane : {session.out.data(), session.in.data()}) {
    lane->encrypt.fill(std::byte{5});
    lane->mac.fill(std::byte{6});
  }
  return session;
}

// What the far side sends: full frames, or one empty one alone.
std::vector<std::vector<std::byte>> make_frames(const ipc::InstallSession& session,
                                                std::size_t count, bool is_full) {
  FrameEngine engine = make_engine();
  const FrameShape shape{.size = frame_size, .tag = session.tag};
  SealKeys keys{engine.expand(suite_from_code(session.suite)->protection, shape,
                              EncryptKey{std::span{session.in[0].encrypt}},
                              MacKey{std::span{session.in[0].mac}}),
                Spi{session.local_spi_base}};
  const OuterHeader header = make_outer_header({.source_mac = identity(2).mac,
                                                .destination_mac = identity(1).mac,
                                                .source = identity(2).endpoint,
                                                .destination = identity(1).endpoint},
                                               frame_size);
  const std::vector<std::byte> packet(packet_size, std::byte{7});
  std::vector<std::vector<std::byte>> frames;
  for (std::size_t i = 0; i < count; ++i) {
    auto& frame = frames.emplace_back(header.length + frame_size);
    std::ranges::copy(header.view(), frame.begin());
    FramePacker packer;
    packer.begin(
        MutableBytes{frame}.subspan(header.length + frame_layout::header, shape.plaintext()));
    BlockSource block{BlockKind::ethernet, Bytes{packet}};
    if (is_full) packer.append(block);
    packer.finish();
    SealJob job{.keys = &keys, .frame = frame.data() + header.length};
    engine.seal(std::span{&job, 1});
  }
  return frames;
}

void pin(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  check(pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0, "a core that is there");
}

double thread_cpu() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

Rhythm keep_rhythm(const Load& load) {
  const Time interval{static_cast<Time::rep>(1'000'000'000 / load.rate)};
  const auto count = static_cast<std::size_t>(load.length / interval);
  TimedPort plain{0};
  TimedPort wire{count + 1000};
  const Pool frames = test::make_test_pool(buffers);
  const Pool punts = test::make_test_pool(63);
  Wake main_wake;
  Mailbox mailbox{0};
  mailbox.main_wake = &main_wake;
  const PortInfo info{.name = "plain", .mtu = 1500};
  Worker worker{{.plain = plain,
                 .wire = wire,
                 .plain_info = info,
                 .mailbox = mailbox,
                 .frames = frames.get(),
                 .punts = punts.get(),
                 .held_limit = buffers / 4,
                 .self = identity(1),
                 .idle = load.idle},
                make_engine()};
  const FrameEngine engine = make_engine();
  endpoint::NextHops hops{*parse_prefix("192.0.2.0/24"), std::nullopt};
  hops.find(identity(2).endpoint.address, {});
  check(hops.learn(identity(2).endpoint.address, identity(2).mac, {}), "the next hop is news");
  SessionDirectory directory{
      {.max_frame_size = frame_size, .self = identity(1), .held = {&worker.held()}}, engine, hops};
  const ipc::InstallSession session = make_session(load);
  const auto record = directory.install(session, monotonic_now());
  check(record.has_value(), "a session that may be installed");
  check(mailbox.commands.push(
            {.kind = Command::Kind::install, .session = (*record)->shares[0].get()}),
        "room for a command");
  worker.turn(monotonic_now());

  auto from_far = make_frames(session, load.has_frames ? count : 1, load.has_frames);
  std::atomic<bool> stop{false};
  Rhythm rhythm;
  const Time start = monotonic_now();
  wire.bring(std::move(from_far), start, interval);
  if (load.has_packets)
    plain.bring({count, std::vector<std::byte>(packet_size, std::byte{7})}, start, interval);
  std::thread thread{[&] {
    if (load.core) pin(*load.core);
    const double before = thread_cpu();
    worker.run(stop);
    rhythm.cpu = thread_cpu() - before;
  }};
  std::this_thread::sleep_for(load.length);
  stop = true;
  thread.join();
  rhythm.cpu /= std::chrono::duration<double>(monotonic_now() - start).count();
  rhythm.departed = wire.departed();
  rhythm.stats = directory.link_stats().front();
  return rhythm;
}

}  // namespace penstock::bench
