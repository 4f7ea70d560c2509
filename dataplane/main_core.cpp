#include "dataplane/main_core.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstring>

#include <rte_mbuf.h>

#include "penstock/wire/block.hpp"

namespace penstock::dataplane {
namespace {

// The wire is worker 0's to send on for the main core.
constexpr std::size_t injecting_worker = 0;

Bytes bytes_of(rte_mbuf* buffer) {
  return {rte_pktmbuf_mtod(buffer, const std::byte*), buffer->data_len};
}

// Places of a mailbox that these commands must not take: the last is for the order that must not
// wait, then for its end, and what far sides say fills half at most.
constexpr std::size_t kept_from(Command::Kind kind) {
  if (kind == Command::Kind::zeroize || kind == Command::Kind::wipe) return 0;
  return kind == Command::Kind::report ? decltype(Mailbox::commands)::entries / 2 : 1;
}

// Whoever gives these keeps them until there is room.
constexpr bool is_kept(Command::Kind kind) {
  return kind == Command::Kind::begin || kind == Command::Kind::confirm ||
         kind == Command::Kind::remove;
}

pollfd readable(int fd) { return {.fd = fd, .events = POLLIN, .revents = 0}; }

}  // namespace

MainCore::MainCore(Setup setup, const FrameEngine& engine)
    : setup_(std::move(setup)),
      now_(setup_.control.started),
      endpoint_(setup_.self, endpoint::NextHops{setup_.on_link, setup_.gateway}, *this),
      sessions_(std::move(setup_.sessions), engine, endpoint_.hops()),
      control_(std::move(setup_.control), sessions_, *this),
      prober_(sessions_.max_frame_size(), draw_number, sessions_, *this) {
  for (const penstock::Endpoint& peer : setup_.peers)
    if (const auto hop = endpoint_.hops().towards(peer.address)) endpoint_.hops().pin(*hop, now_);
}

bool MainCore::run(int signal_fd) {
  while (!is_port_gone_) {
    // A descriptor below zero is skipped by poll: no controller is connected.
    std::array<pollfd, 4> wait{readable(signal_fd), readable(setup_.wake->fd()),
                               readable(control_.listener_fd()),
                               readable(control_.controller_fd())};
    if (control_.is_waiting()) wait[3].events |= POLLOUT;
    poll(wait.data(), wait.size(), timeout_ms(monotonic_now()));
    if (wait[0].revents != 0) return true;
    turn(monotonic_now(), {.wake = wait[1].revents != 0,
                           .connection = wait[2].revents != 0,
                           .controller = wait[3].revents != 0});
  }
  return false;
}

void MainCore::turn(Time now, const Ready& ready) {
  now_ = now;
  if (ready.wake) setup_.wake->clear();
  for (const WorkerHandle& worker : setup_.workers) read_worker(*worker.mailbox, now);
  if (ready.controller) {
    control_.on_writable();
    control_.on_readable(now);
  }
  if (ready.connection) control_.on_connection();
  if (now >= candidates_.deadline()) send_challenges();
  if (now >= prober_.deadline()) prober_.on_timer(now);
  if (now >= endpoint_.deadline()) endpoint_.on_timer(now);
  if (now >= control_.deadline()) control_.on_timer(now);
  control_.end_turn();
}

void MainCore::read_note(const Note& note) {
  if (note.kind == Note::Kind::port_gone)
    is_port_gone_ = true;
  else if (note.kind == Note::Kind::confirmed)
    read_confirmed(note);
  else
    control_.on_note(note);
}

// Every worker says so; the last one is news.
void MainCore::read_confirmed(const Note& note) {
  const SessionRecord* const record = sessions_.find(*note.session);
  const bool was_confirmed = record->was_confirmed;
  control_.on_note(note);
  if (!was_confirmed && record->was_confirmed) prober_.confirmed(*record, now_);
}

// To the worker whose lane it is about. Its session's frames may be another's by then.
void MainCore::pass_on(const StrayReport& stray) {
  const SessionRecord* const record = sessions_.find(stray.spi);
  const std::size_t worker = stray.report.lane;
  if (record == nullptr || worker >= workers()) return;
  static_cast<void>(command(worker, {.kind = Command::Kind::report,
                                     .session = record->shares[worker].get(),
                                     .report = stray.report}));
}

void MainCore::read_worker(Mailbox& mailbox, Time now) {
  while (const auto note = mailbox.notes.pop()) read_note(*note);
  while (const auto heard = mailbox.heard.pop()) {
    control_.on_inside(heard->spi, bytes_of(heard->message));
    rte_pktmbuf_free(heard->message);
  }
  while (const auto trace = mailbox.traces.pop()) read_trace(*trace);
  while (const auto stray = mailbox.reports.pop()) pass_on(*stray);
  while (const auto punted = mailbox.punts.pop()) read_punt(*punted, now);
  while (const auto punted = mailbox.strangers.pop()) read_punt(*punted, now);
  while (const auto punted = mailbox.probes.pop()) read_punt(*punted, now);
}

void MainCore::read_punt(const PuntedPacket& punted, Time now) {
  endpoint_.on_packet(punted.kind, bytes_of(punted.packet), now);
  rte_pktmbuf_free(punted.packet);
}

int MainCore::timeout_ms(Time now) const {
  if (deadline() == Time::max()) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(deadline() - now);
  return static_cast<int>(std::clamp<std::int64_t>(wait.count(), 0, 60'000));
}

// --- Plane ----------------------------------------------------------------------------

bool MainCore::has_room(std::size_t worker, Command::Kind kind) const {
  return setup_.workers[worker].mailbox->commands.room() > kept_from(kind);
}

bool MainCore::command(std::size_t worker, const Command& command) {
  Mailbox& mailbox = *setup_.workers[worker].mailbox;
  Command told = command;
  if (told.session != nullptr) told.spi = told.session->local_spi_base;
  if (!has_room(worker, command.kind) || !mailbox.commands.push(told)) {
    if (!is_kept(command.kind)) ++mailbox_full_;
    return false;
  }
  mailbox.worker_wake.signal();
  return true;
}

void MainCore::send_datagram(const penstock::Endpoint& to, Bytes datagram) {
  endpoint_.send(to, datagram, now_);
}

void MainCore::send_inside(std::span<const std::unique_ptr<Session>> shares, Bytes message) {
  send_block(shares, ControlType::handshake, message);
}

void MainCore::send_block(std::span<const std::unique_ptr<Session>> shares, ControlType type,
                          Bytes said) {
  const std::array first{static_cast<std::byte>(type)};
  rte_mbuf* buffer = copy_to_buffer({first, said});
  if (buffer == nullptr) {
    ++no_buffer_;
    return;
  }
  const Command control{
      .kind = Command::Kind::control, .session = shares[injecting_worker].get(), .packet = buffer};
  if (!command(injecting_worker, control)) rte_pktmbuf_free(buffer);
}

// Null when there is no buffer, or none that large.
rte_mbuf* MainCore::copy_to_buffer(std::initializer_list<Bytes> parts) const {
  rte_mbuf* buffer = rte_pktmbuf_alloc(setup_.punts);
  if (buffer == nullptr) return nullptr;
  for (const Bytes part : parts) {
    char* const at = rte_pktmbuf_append(buffer, static_cast<std::uint16_t>(part.size()));
    if (at == nullptr) {
      rte_pktmbuf_free(buffer);
      return nullptr;
    }
    std::memcpy(at, part.data(), part.size());
  }
  return buffer;
}

void MainCore::expect(std::vector<penstock::Endpoint> peers) {
  if (setup_.expected != nullptr) setup_.expected->set(std::move(peers));
}

Counters MainCore::total() const {
  Counters sum;
  const auto add = [](auto& to, const auto& from) {
    std::ranges::transform(to, from, to.begin(), std::plus{});
  };
  for (const WorkerHandle& worker : setup_.workers) {
    const Counters counters = worker.worker->counters();
    add(sum.values, counters.values);
    add(sum.gauges, counters.gauges);
    add(sum.drops, counters.drops);
  }
  sum.drops[static_cast<std::size_t>(DropReason::mailbox_full)] += mailbox_full_;
  sum.drops[static_cast<std::size_t>(DropReason::no_punt_buffer)] += no_buffer_;
  // Workers punted them, and they were none: they are counted once, under their name. What a worker
  // has counted may be seen later than what it punted.
  std::uint64_t& punted = sum.values[static_cast<std::size_t>(Counter::punted)];
  punted -= std::min(prober_.bad(), punted);
  sum.drops[static_cast<std::size_t>(DropReason::bad_probe)] += prober_.bad();
  control_.add_losses(sum);
  return sum;
}

// --- EndpointSink ------------------------------------------------------------------------

void MainCore::transmit(Bytes packet) {
  rte_mbuf* buffer = copy_to_buffer({packet});
  if (buffer == nullptr) {  // sent again by whoever needed it
    ++no_buffer_;
    return;
  }
  if (!command(injecting_worker, {.kind = Command::Kind::inject, .packet = buffer}))
    rte_pktmbuf_free(buffer);
}

void MainCore::hop_moved(const IpAddress& hop, const MacAddress& mac) {
  const Command told{.kind = Command::Kind::next_hop, .mac = mac, .address = hop};
  for (std::size_t worker = 0; worker < workers(); ++worker)
    if (!command(worker, told)) endpoint_.hops().unlearn(hop, now_);
}

void MainCore::handshake_arrived(const penstock::Endpoint& from, Bytes datagram) {
  control_.on_handshake(from, datagram);
}

void MainCore::probe_arrived(Bytes datagram) { prober_.on_packet(datagram, now_); }

// --- ProbeSink ---------------------------------------------------------------------------

void MainCore::send_probe(const penstock::Endpoint& to, Bytes packet) {
  endpoint_.send(to, packet, now_);
}

void MainCore::path_found(SessionRecord& record, std::uint16_t frame_size) {
  control_.on_path(record, frame_size);
}

}  // namespace penstock::dataplane
