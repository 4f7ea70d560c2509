#include "controller_process.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "penstock/crypto/key_schedule.hpp"

namespace penstock::simulation {
namespace {

using namespace controlplane;
using namespace std::chrono_literals;

constexpr Time connect_again = 100ms;

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

LinkController::Setup setup_of(const SiteProfile& profile) {
  return {.site_name = profile.name,
          .link_index = 0,
          .config = profile.link,
          .file_key = crypto::derive_file_key(as_bytes(profile.key))};
}

}  // namespace

ControllerProcess::ControllerProcess(const SiteProfile& profile, std::uint64_t seed,
                                     std::filesystem::path socket, Hooks hooks, Time now)
    : socket_(std::move(socket)),
      hooks_(std::move(hooks)),
      entropy_(seed),
      link_(setup_of(profile), slots_, entropy_, now),
      connect_at_(now) {}

void ControllerProcess::turn(Time now) {
  if (!channel_ && now >= connect_at_) connect(now);
  while (channel_) {
    const ipc::ReceiveStatus status = channel_->receive();
    if (status == ipc::ReceiveStatus::nothing_yet) break;
    if (status == ipc::ReceiveStatus::closed) {
      lose(now);
      break;
    }
    read(channel_->received(), now);
    settle(now);
  }
  if (const auto due = link_.deadline(); due && *due <= now) link_.on_timer(now);
  settle(now);
}

void ControllerProcess::rekey(Time now) {
  link_.rekey(now);
  turn(now);
}

void ControllerProcess::reload(const SiteProfile& profile, Time now) {
  static_cast<void>(link_.reconfigure(setup_of(profile), now));
  turn(now);
}

Time ControllerProcess::deadline() const {
  const Time due = link_.deadline().value_or(Time::max());
  return channel_ ? due : std::min(due, connect_at_);
}

bool ControllerProcess::has_mail() const {
  if (!channel_) return false;
  pollfd wait{.fd = channel_->fd(), .events = POLLIN, .revents = 0};
  return poll(&wait, 1, 0) > 0;
}

// --- the door ------------------------------------------------------------------------

void ControllerProcess::connect(Time now) {
  auto fd = ipc::connect_to(socket_, SOCK_SEQPACKET);
  if (!fd) {
    connect_at_ = now + connect_again;
    return;
  }
  channel_.emplace(std::move(*fd));
  state_ = State::greeting;
  ipc::Hello hello;
  request(hello);
}

void ControllerProcess::lose(Time now) {
  channel_.reset();
  connect_at_ = now + connect_again;
  living_.clear();
  early_events_.clear();
  installs_.clear();
  if (std::exchange(state_, State::away) == State::up) link_.on_dataplane_down(now);
}

void ControllerProcess::read(const ipc::Received& message, Time now) {
  if (const auto* hello = message.as<ipc::HelloReply>()) return on_hello(*hello);
  if (const auto* info = message.as<ipc::SessionInfo>()) return living_.push_back(*info);
  if (message.as<ipc::ListEnd>() != nullptr) return come_up(now);
  if (const auto* event = message.as<ipc::Event>()) {
    hooks_.heard(*event);
    return state_ == State::up ? link_.on_event(*event, now) : early_events_.push_back(*event);
  }
  if (state_ != State::up) return;
  if (const auto* reply = message.as<ipc::InstallReply>()) {
    const auto found = installs_.extract(reply->header.request);
    if (!found.empty()) link_.on_install_reply(found.mapped(), reply->result, now);
  } else if (const auto* punt = message.as<ipc::Punt>()) {
    const Endpoint from = ipc::from_wire(punt->datagram.peer);
    const Bytes bytes = Bytes{punt->datagram.bytes}.first(punt->datagram.length);
    if (!link_.on_datagram(from, bytes, now)) link_.on_unclaimed(from, bytes, now);
  } else if (const auto* inside = message.as<ipc::PuntInside>()) {
    static_cast<void>(link_.on_datagram(inside->message.session_id, inside->message.bytes, now));
  }
}

void ControllerProcess::on_hello(const ipc::HelloReply& reply) {
  facts_ = {.boot_id = reply.boot_id,
            .max_frame_size = reply.max_frame_size,
            .lanes = reply.lanes,
            .takes_offload = reply.takes_offload != 0};
  state_ = State::listing;
  ipc::ListSessions list;
  request(list);
}

void ControllerProcess::come_up(Time now) {
  state_ = State::up;
  link_.on_dataplane_up(facts_, std::exchange(living_, {}), now);
  for (const ipc::Event& event : std::exchange(early_events_, {})) link_.on_event(event, now);
}

// --- what the link wants -----------------------------------------------------------------

void ControllerProcess::settle(Time now) {
  for (Action& action : link_.take_actions()) carry_out(std::move(action), now);
}

void ControllerProcess::carry_out(Action action, Time) {
  const auto datagram = [&](const SendDatagram& wanted) {
    ipc::Inject message;
    message.datagram.peer = ipc::to_wire(wanted.to);
    message.datagram.length = static_cast<std::uint16_t>(wanted.bytes.size());
    std::ranges::copy(wanted.bytes, message.datagram.bytes.begin());
    send(message);
  };
  const auto inside = [&](const SendInside& wanted) {
    ipc::InjectInside message;
    message.message.session_id = wanted.session_id;
    std::ranges::copy(wanted.bytes, message.message.bytes.begin());
    send(message);
  };
  const auto install = [&](Install& wanted) {
    hooks_.installing(*wanted.message);
    installs_[request(*wanted.message)] = wanted.request;
  };
  const auto remove = [&](const Remove& wanted) {
    ipc::RemoveSession message;
    message.session_id = wanted.session_id;
    request(message);
  };
  std::visit(
      Overloaded{datagram, inside, install, remove,
                 [&](const Notice& notice) { hooks_.told(notice.text); }, [](const auto&) {}},
      action);
}

}  // namespace penstock::simulation
