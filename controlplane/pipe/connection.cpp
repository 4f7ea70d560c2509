#include "controlplane/pipe/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace penstock::controlplane::pipe {
namespace {

// As spiped sets them, but before the handshake: its small messages must not wait for each
// other. What is no TCP socket refuses, which is no matter.
void tune(int socket, bool keeps_alive) {
  const int keep = keeps_alive ? 1 : 0;
  const int one = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &keep, sizeof keep);
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

// Nothing follows what is there; or urgent data stands in it, which cuts a read short.
constexpr std::uint32_t last_events = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;

End to_end(Refusal refusal) {
  return refusal == Refusal::not_forward ? End::not_forward : End::bad_handshake;
}

}  // namespace

Connection::Connection(Surroundings& around, UniqueFd accepted, const SocketAddress& peer,
                       Targets::List targets)
    : around_(around), peer_(peer), dial_(std::in_place, std::move(targets), around.bind_from) {
  adopt(around.settings.role == Role::client ? Side::plain : Side::sealed, std::move(accepted));
}

Connection::Connection(Surroundings& around, int input, int output, UniqueFd connected)
    : around_(around), plain_in_(input, false), plain_out_(output) {
  adopt(Side::sealed, std::move(connected));
  if (!around_.loop.add(input, tag_of(Side::plain))) plain_in_.ready(false);
  if (!around_.loop.add(output, tag_of(Side::plain_out))) plain_out_.never_waits();
}

Connection::~Connection() {
  if (deadline_) around_.deadlines.remove(*deadline_);
}

void Connection::adopt(Side side, UniqueFd socket) {
  const int fd = socket.get();
  tune(fd, around_.settings.keeps_alive);
  (side == Side::sealed ? sealed_in_ : plain_in_) = Source{fd, true};
  (side == Side::sealed ? sealed_out_ : plain_out_) = Sink{fd};
  this->socket(side) = std::move(socket);
  watch(side, fd);
}

void* Connection::tag_of(Side side) {
  return reinterpret_cast<std::byte*>(this) + static_cast<std::size_t>(side);
}

Connection::Tagged Connection::from_tag(void* tag) {
  static_assert(alignof(Connection) > static_cast<std::size_t>(Side::plain_out));
  const std::size_t side = reinterpret_cast<std::uintptr_t>(tag) % alignof(Connection);
  auto* const at = static_cast<std::byte*>(tag) - side;
  return {*reinterpret_cast<Connection*>(at), static_cast<Side>(side)};
}

void Connection::watch(Side side, int fd) {
  if (around_.loop.add(fd, tag_of(side))) return;
  // A socket whose connecting was watched already; a file, which never waits.
  if (errno == EEXIST || errno == EPERM) return;
  error_ = errno;  // no memory, or too many watched: what nobody watches would hang
  finish(End::reset);
}

void Connection::start(Time now) {
  expect(now);
  if (around_.settings.role == Role::server || !dial_) begin_handshake(now);
  if (dial_) dial_on(now, dial_->start(), 0);
}

// Each thing that is waited for has the same time.
void Connection::expect(Time now) {
  if (deadline_) around_.deadlines.remove(*deadline_);
  deadline_ = around_.deadlines.add(now + around_.settings.timeout, *this);
}

void Connection::note_late() {
  around_.deadlines.remove(*std::exchange(deadline_, std::nullopt));
  is_late_ = true;
}

void Connection::begin_handshake(Time now) {
  const Settings& settings = around_.settings;
  if (settings.role == Role::client) expect(now);
  handshake_.emplace(settings.role, settings.secrecy, around_.key, around_.entropy);
}

void Connection::dial_on(Time now, Dial::State state, std::uint32_t events) {
  const Side side = around_.settings.role == Role::client ? Side::sealed : Side::plain;
  switch (state) {
    case Dial::State::waiting:
      watch(side, dial_->socket());
      return;
    case Dial::State::failed:
      finish(End::no_target);
      return;
    case Dial::State::connected:
      break;
  }
  adopt(side, dial_->take());
  dial_.reset();
  if (side == Side::sealed) begin_handshake(now);
  // The loop does not say a second time that a far side was quick, and has said all it will.
  (side == Side::sealed ? sealed_in_ : plain_in_).ready((events & last_events) != 0);
}

void Connection::note(Side side, std::uint32_t events) {
  if (dial_ && !socket(side)) {
    dial_events_ |= events;
    return;
  }
  const bool is_last = (events & last_events) != 0;
  const bool is_broken = (events & EPOLLERR) != 0;
  if (side == Side::sealed) {
    if (is_last || (events & EPOLLIN) != 0) sealed_in_.ready(is_last);
    if (is_broken || (events & (EPOLLOUT | EPOLLHUP)) != 0) sealed_out_.ready();
    is_sealed_broken_ = is_sealed_broken_ || is_broken;
    return;
  }
  const bool is_input = side == Side::plain;
  if (is_input && (is_last || (events & EPOLLIN) != 0)) plain_in_.ready(is_last);
  if (is_broken || (events & (EPOLLOUT | EPOLLHUP)) != 0) plain_out_.ready();
  is_plain_broken_ = is_plain_broken_ || is_broken;
}

Connection::Turn Connection::run(Time now) {
  if (is_late_) finish(dial_ ? End::no_target : End::handshake_late);
  if (!end_ && dial_ && dial_events_ != 0) {
    const std::uint32_t events = std::exchange(dial_events_, 0);
    dial_on(now, dial_->next(), events);
  }
  if (!end_ && handshake_) shake();
  const Turn turn = !end_ && is_moving() ? move() : Turn::waiting;
  return end_ ? Turn::ended : turn;
}

void Connection::shake() {
  while (!end_ && handshake_) {
    if (const Bytes output = handshake_->output(); !output.empty()) {
      if (!sealed_out_.is_ready()) return;
      const Moved put = sealed_out_.write(output);
      if (put.why == Moved::Why::broken) return finish(End::handshake_cut);
      handshake_->sent(put.bytes);
      continue;
    }
    handshake_->prepare();
    const std::size_t wanted = handshake_->wanted();
    if (wanted == 0) return finish_handshake();
    if (!sealed_in_.is_ready()) return;
    const MutableBytes into = std::span{around_.tools.batches.hand().bytes}.first(wanted);
    const Moved got = sealed_in_.read(into);
    if (got.why == Moved::Why::closed || got.why == Moved::Why::broken) {
      return finish(End::handshake_cut);
    }
    const auto refusal = handshake_->feed(into.first(got.bytes));
    if (refusal) return finish(to_end(*refusal));
  }
}

void Connection::finish_handshake() {
  const crypto::PipeSessionKeys keys = handshake_->take_keys();
  const bool is_client = around_.settings.role == Role::client;
  const PipeEngine& engine = around_.tools.engine;
  seal_keys_.emplace(engine.expand(is_client ? keys.client : keys.server));
  open_keys_.emplace(engine.expand(is_client ? keys.server : keys.client));
  handshake_.reset();
}

Connection::Turn Connection::move() {
  if (deadline_) around_.deadlines.remove(*std::exchange(deadline_, std::nullopt));
  Flow sealing = Flow::waiting;
  Flow opening = Flow::waiting;
  if (!is_sealing_closed_) {
    sealing = seal_.move(plain_in_, sealed_out_, *seal_keys_, around_.tools);
    settle(sealing, is_sealing_closed_, End::finished, End::reset);
  }
  if (!is_opening_closed_ && !end_) {
    opening = open_.move(sealed_in_, plain_out_, *open_keys_, around_.tools);
    settle(opening, is_opening_closed_, End::reset, End::finished);
  }
  if (is_sealing_closed_ && is_opening_closed_) finish(End::finished);
  // A socket that nobody reads any more tells of its end by nothing else.
  if (is_plain_broken_ && is_sealing_closed_) finish(End::finished);
  if (is_sealed_broken_ && is_opening_closed_) finish(End::reset);
  return sealing == Flow::again || opening == Flow::again ? Turn::again : Turn::waiting;
}

void Connection::settle(Flow flow, bool& is_closed, End broken_from, End broken_to) {
  switch (flow) {
    case Flow::waiting:
    case Flow::again:
      return;
    case Flow::closed:
      is_closed = true;
      return;
    case Flow::broken_from:
      error_ = errno;
      return finish(broken_from);
    case Flow::broken_to:
      error_ = errno;
      return finish(broken_to);
    case Flow::bad_packet:
      return finish(End::bad_packet);
    case Flow::cut_packet:
      return finish(End::cut_packet);
  }
}

std::string Connection::describe_end() const {
  std::string text;
  const auto add = [&text](std::string_view what, const std::string& detail) {
    if (detail.empty()) return;  // who connects to a Unix socket has no address
    if (!text.empty()) text += ", ";
    text.append(what).append(detail);
  };
  if (peer_.size > 0) add("from ", to_string(peer_));
  if (end_ == End::no_target && dial_) add("target ", dial_->describe());
  SocketAddress far;
  far.size = sizeof far.storage;
  if (around_.settings.role == Role::client && sealed_ &&
      ::getpeername(sealed_.get(), reinterpret_cast<sockaddr*>(&far.storage), &far.size) == 0) {
    add("target ", to_string(far));
  }
  if (end_ == End::reset && error_ != 0) add("", ::strerrordesc_np(error_));
  return text;
}

}  // namespace penstock::controlplane::pipe
