#include "controlplane/shell/dataplane_client.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/check.hpp"
#include "penstock/base/log.hpp"

namespace penstock::controlplane {
namespace {

using namespace std::chrono_literals;

constexpr auto first_backoff = 50ms;
constexpr auto last_backoff = 1s;
constexpr auto patience = 10s;  // its main core answers at once; this one hangs
constexpr std::string_view nonsense = "the data plane sent a message that makes no sense";

}  // namespace

DataplaneClient::DataplaneClient(asio::io_context& loop, std::filesystem::path socket,
                                 Listener& listener)
    : socket_(std::move(socket)),
      listener_(listener),
      readable_(loop),
      retry_(loop),
      patience_(loop),
      reason_("penstockd has just started"),
      complaint_(nonsense),
      backoff_(first_backoff) {}

DataplaneClient::~DataplaneClient() { forget_channel(); }

void DataplaneClient::start() { connect(); }

// --- the connection's life ---------------------------------------------------------

void DataplaneClient::connect() {
  auto fd = ipc::connect_to(socket_, SOCK_SEQPACKET);
  if (!fd) {
    explain_absence("the data plane does not run: " + fd.error().message);
    return retry_later();
  }
  channel_ = std::make_unique<ipc::Channel>(std::move(*fd));
  readable_.assign(channel_->fd());
  state_ = State::greeting;
  wait_readable();
  greet();
}

void DataplaneClient::retry_later() {
  retry_.expires_after(backoff_);
  backoff_ = std::min<std::chrono::milliseconds>(backoff_ * 2, last_backoff);
  retry_.async_wait([this](const std::error_code& error) {
    if (!error) connect();
  });
}

void DataplaneClient::lose(std::string reason) {
  explain(std::move(reason));
  drop_connection();
  retry_later();
}

void DataplaneClient::reconnect() {
  if (channel_ == nullptr) return;  // on its way already
  reason_ = "connecting to the data plane again";
  drop_connection();
  retry_later();
}

void DataplaneClient::drop_connection() {
  const bool was_up = std::exchange(state_, State::waiting) == State::up;
  forget_channel();
  patience_.cancel();
  early_events_.clear();
  complaint_ = nonsense;
  if (was_up) listener_.on_dataplane_down();
  for (auto& [number, pending] : std::exchange(pending_, {})) pending.on_lost();
}

void DataplaneClient::forget_channel() {
  if (readable_.is_open()) static_cast<void>(readable_.release());  // the channel closes it
  channel_.reset();
  outbox_.clear();
}

// Said once: a start takes its time, and a loss has been logged already.
void DataplaneClient::explain_absence(std::string reason) {
  reason_ = std::move(reason);
  if (!logged_.empty()) return;
  logged_ = reason_;
  log::info(reason_ + "; waiting for it");
}

// The log hears of a change, not of every attempt.
void DataplaneClient::explain(std::string reason) {
  reason_ = std::move(reason);
  if (std::exchange(logged_, reason_) != reason_) {
    log::warn(fmt::format("{}; trying again until it answers", reason_));
  }
}

// --- greeting: hello, then which sessions live ---------------------------------------

void DataplaneClient::greet() {
  ipc::Hello hello;
  request(hello, {.on_reply = [this](const ipc::Received& message) { return on_hello(message); }});
}

DataplaneClient::Reply DataplaneClient::on_hello(const ipc::Received& message) {
  const auto* const reply = message.as<ipc::HelloReply>();
  if (reply == nullptr) return Reply::nonsense;
  if (reply->is_accepted == 0 || reply->version != ipc::version) {
    complaint_ = "the data plane is of another version; install both programs from one build";
    return Reply::nonsense;
  }
  hello_ = *reply;
  list_sessions([this](std::vector<ipc::SessionInfo> living) { come_up(std::move(living)); },
                [] {});
  return Reply::last;
}

void DataplaneClient::come_up(std::vector<ipc::SessionInfo> living) {
  state_ = State::up;
  reason_.clear();
  logged_.clear();
  backoff_ = first_backoff;
  log::info(fmt::format("connected to the data plane, which has {} living session{}", living.size(),
                        living.size() == 1 ? "" : "s"));
  listener_.on_dataplane_up(hello_, std::move(living));
  for (const ipc::Event& event : std::exchange(early_events_, {})) listener_.on_event(event);
}

// --- up: what arrives ---------------------------------------------------------------

void DataplaneClient::wait_readable() {
  readable_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [this](const std::error_code& error) {
                         if (!error) read_all();
                       });
}

void DataplaneClient::read_all() {
  for (;;) {
    switch (channel_->receive()) {
      case ipc::ReceiveStatus::message:
        if (!dispatch(channel_->received())) return lose(std::string{complaint_});
        break;
      case ipc::ReceiveStatus::nothing_yet:
        return wait_readable();
      case ipc::ReceiveStatus::closed:
        return lose(state_ == State::up
                        ? "the data plane closed the connection"
                        : "the data plane refused the connection; is another penstockd running?");
    }
  }
}

bool DataplaneClient::dispatch(const ipc::Received& message) {
  return message.header().request == 0 ? dispatch_unasked(message) : dispatch_reply(message);
}

bool DataplaneClient::dispatch_unasked(const ipc::Received& message) {
  if (const auto* const punt = message.as<ipc::Punt>()) {
    const ipc::Datagram& datagram = punt->datagram;
    if (datagram.length > datagram.bytes.size()) return false;
    if (is_up()) {
      listener_.on_punt(ipc::from_wire(datagram.peer),
                        Bytes{datagram.bytes}.first(datagram.length));
    }
    return true;
  }
  if (const auto* const punt = message.as<ipc::PuntInside>()) {
    if (is_up()) listener_.on_punt_inside(punt->message.session_id, punt->message.bytes);
    return true;
  }
  if (const auto* const event = message.as<ipc::Event>()) {
    if (is_up()) {
      listener_.on_event(*event);
    } else {
      early_events_.push_back(*event);
    }
    return true;
  }
  return false;
}

bool DataplaneClient::dispatch_reply(const ipc::Received& message) {
  // Taken out while it runs: a reply may cause new requests.
  auto node = pending_.extract(message.header().request);
  if (node.empty()) return false;
  const Reply reply = node.mapped().on_reply(message);
  if (reply != Reply::last) pending_.insert(std::move(node));
  watch_patience();
  return reply != Reply::nonsense;
}

// --- what is sent -------------------------------------------------------------------

void DataplaneClient::wait_writable() {
  readable_.async_wait(asio::posix::stream_descriptor::wait_write,
                       [this](const std::error_code& error) {
                         if (error || channel_ == nullptr) return;
                         const ipc::SendStatus status = outbox_.flush(*channel_);
                         if (status == ipc::SendStatus::later) wait_writable();
                         if (status == ipc::SendStatus::gone) hang_up();
                       });
}

// A data plane that left or does not read: the reading side notices, so that a connection is
// lost in one place only.
void DataplaneClient::hang_up() { ::shutdown(channel_->fd(), SHUT_RDWR); }

void DataplaneClient::watch_patience() {
  patience_.cancel();
  if (pending_.empty()) return;
  patience_.expires_after(patience);
  patience_.async_wait([this](const std::error_code& error) {
    if (!error && channel_ != nullptr) lose("the data plane does not answer");
  });
}

void DataplaneClient::install(SecretBox<ipc::InstallSession> message, OnInstalled on_installed) {
  if (!is_up()) return;
  request(*message, {.on_reply = [on_installed](const ipc::Received& received) {
    const auto* const reply = received.as<ipc::InstallReply>();
    if (reply == nullptr) return Reply::nonsense;
    on_installed(reply->result);
    return Reply::last;
  }});
}

void DataplaneClient::remove(const ipc::SessionId& session_id) {
  if (!is_up()) return;
  ipc::RemoveSession message;
  message.session_id = session_id;
  request(message, {.on_reply = [](const ipc::Received& received) {
            return received.as<ipc::RemoveReply>() != nullptr ? Reply::last : Reply::nonsense;
          }});
}

void DataplaneClient::inject(const Endpoint& to, Bytes datagram) {
  if (!is_up()) return;
  ipc::Inject message;
  check(datagram.size() <= message.datagram.bytes.size(), "a datagram that fits inject");
  message.datagram.peer = ipc::to_wire(to);
  message.datagram.length = static_cast<std::uint16_t>(datagram.size());
  std::ranges::copy(datagram, message.datagram.bytes.begin());
  send(message);
}

void DataplaneClient::inject_inside(const ipc::SessionId& session_id, Bytes inner) {
  if (!is_up()) return;
  ipc::InjectInside message;
  check(inner.size() == message.message.bytes.size(), "a whole handshake message");
  message.message.session_id = session_id;
  std::ranges::copy(inner, message.message.bytes.begin());
  send(message);
}

void DataplaneClient::link_peer(std::uint32_t link, const Endpoint& peer, std::uint16_t vlan) {
  if (!is_up()) return;
  ipc::LinkPeer message;
  message.link = link;
  message.peer = ipc::to_wire(peer);
  message.vlan = vlan;
  send(message);
}

void DataplaneClient::link_gone(std::uint32_t link) {
  if (!is_up()) return;
  ipc::LinkPeer message;
  message.link = link;
  message.is_gone = 1;
  send(message);
}

// Not to be connected says nothing of whether it runs: it may hang, or be of another version.
void DataplaneClient::zeroize(OnZeroized on_zeroized) {
  if (!is_up()) {
    if (channel_ == nullptr && ipc::is_abandoned(socket_, SOCK_SEQPACKET))
      return on_zeroized(std::nullopt);
    return on_zeroized(fail(ErrorKind::busy, reason_));
  }
  zeroizing_.push_back(std::move(on_zeroized));
  if (zeroizing_.size() > 1) return;  // the data plane answers the last that asks, and it alone
  ipc::Zeroize message;
  request(message, {.on_reply =
                        [this](const ipc::Received& received) {
                          const auto* const reply = received.as<ipc::ZeroizeReply>();
                          if (reply == nullptr) return Reply::nonsense;
                          zeroized(reply->sessions);
                          return Reply::last;
                        },
                    .on_lost = [this] { zeroized(fail(ErrorKind::busy, reason_)); }});
}

void DataplaneClient::zeroized(const Result<std::optional<std::uint32_t>>& outcome) {
  for (const OnZeroized& on_zeroized : std::exchange(zeroizing_, {})) on_zeroized(outcome);
}

}  // namespace penstock::controlplane
