#include "bench/dataplane/path_lab.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <rte_mbuf.h>

#include "penstock/base/check.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/base/error.hpp"

#include "dataplane/buffer_stash.hpp"

namespace penstock::bench {
namespace {

using namespace dataplane;

constexpr unsigned buffers_a_worker = 4096;
constexpr unsigned frame_cache = 256;  // as the topology's
constexpr std::uint16_t data_room = RTE_PKTMBUF_HEADROOM + 2048;

template <class T>
T must(Result<T> made) {
  if (made) return std::move(*made);
  std::fprintf(stderr, "%s\n", made.error().message.c_str());
  std::exit(exit_refused);
}

unsigned buffers(unsigned workers) { return buffers_a_worker * (workers + 3) - 1; }

EalOptions eal_options(unsigned workers) {
  // No buffer crosses a page of ordinary memory.
  const std::size_t bytes = std::size_t{buffers(workers) + 511} * 4096;
  return {.file_prefix = "penstock-bench-" + std::to_string(getpid()),
          .memory_mb = {(bytes >> 20) + 32}};
}

}  // namespace

Lab::Lab(unsigned workers)
    : plan_(must(EnginePlan::measure())),
      eal_(must(Eal::start(eal_options(workers)))),
      frames_(must(make_pool("frames", buffers(workers), data_room, frame_cache))),
      punts_(must(make_pool("punts", 511, data_room, 32))) {}

FrameEngine Lab::engine() const { return must(FrameEngine::create(plan_)); }

WireIdentity identity(int index) {
  return {.mac = {{std::byte{2}, {}, {}, {}, {}, static_cast<std::byte>(index)}},
          .endpoint = {.address = *parse_ip("192.0.2." + std::to_string(index)), .port = 7670}};
}

ipc::InstallSession path_session(std::uint32_t number, Protection protection, std::uint32_t links) {
  ipc::InstallSession session;
  std::memcpy(session.session_id.data(), &number, sizeof number);
  session.link = number % links;
  session.local_spi_base = Spi::make(7, number % limits::max_sessions, 0).value;
  session.remote_spi_base = Spi::make(9, number % limits::max_sessions, 0).value;
  session.role = ipc::Role::responder;
  session.tag = fit_tag(protection, limits::default_tag);
  session.suite = Suite{KeyExchange::x25519, protection}.code();
  session.frame_size = path_frame;
  session.lanes_out = session.lanes_in = 1;
  session.peer = ipc::to_wire(identity(2).endpoint);
  session.max_age_ns = static_cast<std::uint64_t>(Time{std::chrono::hours{1}}.count());
  const auto fill = [number](ipc::LaneKeys& keys, unsigned salt) {
    keys.encrypt.fill(static_cast<std::byte>(1 + salt));
    keys.mac.fill(static_cast<std::byte>(3 + salt));
    std::memcpy(keys.encrypt.data(), &number, sizeof number);
    std::memcpy(keys.mac.data(), &number, sizeof number);
  };
  fill(session.out[0], 0);
  fill(session.in[0], 1);
  return session;
}

ipc::InstallSession far_half(ipc::InstallSession session) {
  session.role = ipc::Role::initiator;
  std::swap(session.local_spi_base, session.remote_spi_base);
  std::swap(session.out, session.in);
  session.peer = ipc::to_wire(identity(1).endpoint);
  return session;
}

SealKeys far_keys(const FrameEngine& engine, const ipc::InstallSession& session) {
  return {engine.expand(suite_from_code(session.suite)->protection,
                        {.size = session.frame_size, .tag = session.tag},
                        EncryptKey{std::span{session.in[0].encrypt}},
                        MacKey{std::span{session.in[0].mac}}),
          Spi{session.local_spi_base}};
}

OuterHeader far_header() {
  return make_outer_header({.source_mac = identity(2).mac,
                            .destination_mac = identity(1).mac,
                            .source = identity(2).endpoint,
                            .destination = identity(1).endpoint},
                           path_frame);
}

std::byte* put_frame(rte_mbuf* buffer, const OuterHeader& header, Bytes plaintext) {
  std::byte* const frame = frame_in(buffer);
  std::memcpy(frame - header.length, header.bytes.data(), header.length);
  std::memcpy(frame + frame_layout::header, plaintext.data(), plaintext.size());
  buffer->data_off = static_cast<std::uint16_t>(RTE_PKTMBUF_HEADROOM - header.length);
  buffer->data_len = static_cast<std::uint16_t>(header.length + path_frame);
  buffer->pkt_len = buffer->data_len;
  return frame;
}

Site::Site(Lab& lab, int index, PortQueue& plain, PortQueue& wire)
    : mailbox(0),
      worker({.plain = plain,
              .wire = wire,
              .plain_info = info,
              .mailbox = mailbox,
              .frames = lab.frames(),
              .punts = lab.punts(),
              .held_limit = buffers_a_worker / 4,
              .self = identity(index),
              .idle = IdleMode::spin},
             lab.engine()),
      engine(lab.engine()),
      hops(*parse_prefix("192.0.2.0/24"), std::nullopt),
      directory({.max_frame_size = path_frame, .self = identity(index), .held = {&worker.held()}},
                engine, hops) {
  mailbox.main_wake = &main_wake;
  const WireIdentity other = identity(3 - index);
  hops.find(other.endpoint.address, {});
  check(hops.learn(other.endpoint.address, other.mac, {}), "the next hop is news");
}

// As at the end of the process: the worker lets go first.
Site::~Site() {
  const std::atomic<bool> stop{true};
  worker.run(stop);
  while (const auto punted = mailbox.punts.pop()) rte_pktmbuf_free(punted->packet);
}

Session& Site::install(const ipc::InstallSession& session) {
  const auto record = directory.install(session, monotonic_now());
  check(record.has_value(), "a session that may be installed");
  Session* const share = (*record)->shares[0].get();
  check(mailbox.commands.push({.kind = Command::Kind::install, .session = share}),
        "room for a command");
  worker.turn(monotonic_now());
  return *share;
}

}  // namespace penstock::bench
