#include "bench/controlplane/shell/hub_door.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "penstock/base/check.hpp"

namespace penstock::bench {
namespace {

using namespace std::chrono_literals;

constexpr Time timer_step = 20ms;
constexpr int patience_ms = 5;
constexpr unsigned messages_a_turn = 64;

UniqueFd listen_or_die(const std::filesystem::path& socket) {
  auto listener = ipc::listen_at(socket, SOCK_SEQPACKET);
  check(listener.has_value(), "the door can be opened");
  return std::move(*listener);
}

}  // namespace

HubDoor::HubDoor(const std::filesystem::path& socket, const std::vector<std::string>& keys)
    : listener_(listen_or_die(socket)),
      far_sides_(keys, boot_id_,
                 {.punt =
                      [this](const Endpoint& from, Bytes datagram) {
                        ipc::Punt punt;
                        punt.datagram.peer = ipc::to_wire(from);
                        punt.datagram.length = static_cast<std::uint16_t>(datagram.size());
                        std::ranges::copy(datagram, punt.datagram.bytes.begin());
                        send(punt);
                      },
                  .punt_inside =
                      [this](const ipc::SessionId& id, Bytes message) {
                        ipc::PuntInside punt;
                        punt.message.session_id = id;
                        std::ranges::copy(message, punt.message.bytes.begin());
                        send(punt);
                      },
                  .event = [this](const ipc::Event& event) { send(event); }}) {}

void HubDoor::turn() {
  pollfd ready{.fd = client_ ? client_->fd() : listener_.get(), .events = POLLIN, .revents = 0};
  if (!waiting_.empty()) ready.events |= POLLOUT;
  ::poll(&ready, 1, patience_ms);
  const Time now = monotonic_now();
  if (!client_) return accept();
  read(now);
  if (connected_at_ && now >= next_timer_) {
    far_sides_.on_timer(now);
    next_timer_ = now + timer_step;
  }
  far_sides_.deliver(now);
  flush();
}

void HubDoor::accept() {
  auto client = ipc::accept_trusted(listener_.get());
  if (!client) return;
  waiting_.clear();
  client_.emplace(std::move(*client));
  ++connections_;
}

void HubDoor::read(Time now) {
  for (unsigned count = 0; count < messages_a_turn; ++count) {
    switch (client_->receive()) {
      case ipc::ReceiveStatus::message:
        dispatch(client_->received(), now);
        break;
      case ipc::ReceiveStatus::nothing_yet:
        return;
      case ipc::ReceiveStatus::closed:
        client_.reset();
        return;
    }
    far_sides_.deliver(now);
  }
}

void HubDoor::dispatch(const ipc::Received& message, Time now) {
  const std::uint32_t request = message.header().request;
  if (message.as<ipc::Hello>() != nullptr) return greet(request, now);
  if (message.as<ipc::ListSessions>() != nullptr) return list(request, now);
  if (const auto* const inject = message.as<ipc::Inject>())
    return far_sides_.inject(ipc::from_wire(inject->datagram.peer),
                             Bytes{inject->datagram.bytes}.first(inject->datagram.length), now);
  if (const auto* const inject = message.as<ipc::InjectInside>())
    return far_sides_.inject_inside(inject->message.session_id, inject->message.bytes, now);
  if (const auto* const wanted = message.as<ipc::InstallSession>()) {
    ++installs_;
    ipc::InstallReply reply;
    reply.header.request = request;
    reply.result = far_sides_.install(*wanted, now);
    return send(reply);
  }
  if (const auto* const wanted = message.as<ipc::RemoveSession>()) {
    ipc::RemoveReply reply;
    reply.header.request = request;
    reply.was_there = far_sides_.remove(wanted->session_id) ? 1 : 0;
    return send(reply);
  }
  if (message.as<ipc::GetStats>() != nullptr) {
    ipc::Stats stats;
    stats.header.request = request;
    stats.workers = 1;
    stats.sessions = static_cast<std::uint32_t>(far_sides_.living(now).size());
    return send(stats);
  }
  if (message.as<ipc::ListLinks>() != nullptr || message.as<ipc::ListWorkers>() != nullptr) {
    ipc::ListEnd none;
    none.header.request = request;
    send(none);
  }
}

void HubDoor::greet(std::uint32_t request, Time now) {
  ipc::HelloReply reply;
  reply.header.request = request;
  reply.version = ipc::version;
  reply.is_accepted = 1;
  reply.boot_id = boot_id_;
  reply.max_frame_size = 1472;
  reply.lanes = 1;
  reply.takes_offload = 1;
  send(reply);
  if (connected_at_) return;
  connected_at_ = now;
  far_sides_.start(now);
}

void HubDoor::list(std::uint32_t request, Time now) {
  ipc::ListEnd end;
  for (ipc::SessionInfo& session : far_sides_.living(now)) {
    session.header.request = request;
    send(session);
    ++end.count;
  }
  end.header.request = request;
  send(end);
}

// A controller that is busy gets it all later: no budget of a real data plane is in the way.
template <ipc::Message M>
void HubDoor::send(const M& message) {
  if (!client_) return;
  if (waiting_.empty() && client_->try_send(message) == ipc::SendStatus::sent) return;
  const Bytes bytes = std::as_bytes(std::span{&message, 1});
  waiting_.emplace_back(bytes.begin(), bytes.end());
}

void HubDoor::flush() {
  while (client_ && !waiting_.empty() &&
         client_->try_send_bytes(waiting_.front()) == ipc::SendStatus::sent)
    waiting_.pop_front();
}

}  // namespace penstock::bench
