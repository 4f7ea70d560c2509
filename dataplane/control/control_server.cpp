#include "dataplane/control/control_server.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/check.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/base/log.hpp"

namespace penstock::dataplane {

using ipc::EventKind;
using ipc::InstallResult;
using ipc::ReceiveStatus;

ControlServer::ControlServer(Setup setup, SessionDirectory& sessions, Plane& plane)
    : setup_(std::move(setup)),
      sessions_(sessions),
      plane_(plane),
      link_peers_(setup_.peers.begin(), setup_.peers.end()) {
  tell_expected();
}

// --- the connection ------------------------------------------------------------------

void ControlServer::on_connection() {
  auto socket = ipc::accept_trusted(setup_.listener.get());
  if (!socket) return;
  if (controller_) {
    log::warn("a second controller was refused: one is connected already");
    return;
  }
  controller_.emplace(ipc::Channel{std::move(*socket)});
  is_greeted_ = false;
  ++connection_;
}

void ControlServer::drop_controller() {
  if (is_greeted_) log::info("the controller is gone; sessions live on");
  controller_.reset();
  is_greeted_ = false;
}

void ControlServer::on_readable(Time now) {
  // A few at a time: a controller that never stops talking must not starve the rest.
  for (int i = 0; i < 32 && controller_; ++i) {
    const ReceiveStatus status = controller_->receive();
    if (status == ReceiveStatus::nothing_yet) return;
    if (status == ReceiveStatus::closed || !obey(controller_->received(), now))
      return drop_controller();
  }
}

void ControlServer::on_writable() {
  if (controller_ && !controller_->flush()) drop_controller();
}

// False: it broke the contract, or does not read.
bool ControlServer::obey(const ipc::Received& message, Time now) {
  if (const auto* hello = message.as<ipc::Hello>()) return greet(*hello);
  if (!is_greeted_) return false;
  if (const auto* install_session = message.as<ipc::InstallSession>()) {
    const bool is_obeyed = install(*install_session, now);
    if (controller_) controller_->wipe_received();
    return is_obeyed;
  }
  if (const auto* remove_session = message.as<ipc::RemoveSession>()) return remove(*remove_session);
  if (const auto* list_sessions = message.as<ipc::ListSessions>()) return list(*list_sessions, now);
  if (const auto* list_links = message.as<ipc::ListLinks>()) return list(*list_links);
  if (const auto* list_workers = message.as<ipc::ListWorkers>()) return list(*list_workers);
  if (const auto* get_topology = message.as<ipc::GetTopology>()) return list(*get_topology);
  if (const auto* inject_datagram = message.as<ipc::Inject>()) return inject(*inject_datagram);
  if (const auto* inside = message.as<ipc::InjectInside>()) return inject_inside(*inside);
  if (const auto* link_peer = message.as<ipc::LinkPeer>()) return know_link(*link_peer);
  if (const auto* wipe_all = message.as<ipc::Zeroize>()) return zeroize(*wipe_all);
  if (const auto* get_stats = message.as<ipc::GetStats>()) return report(*get_stats, now);
  log::warn("the controller sent a message that this data plane does not know");
  return false;
}

bool ControlServer::greet(const ipc::Hello& hello) {
  ipc::HelloReply reply = setup_.hello;
  reply.header = {.type = ipc::HelloReply::type, .request = hello.header.request};
  is_greeted_ = hello.version == ipc::version;
  reply.is_accepted = is_greeted_ ? 1 : 0;
  if (is_greeted_) {
    refused_version_.reset();
    log::info("a controller is connected");
  } else if (std::exchange(refused_version_, hello.version) != hello.version) {
    // Once: it comes back every second.
    log::warn(fmt::format("a controller was refused: it speaks version {} of the door between the "
                          "planes, this data plane {}; install both programs from one build",
                          hello.version, ipc::version));
  }
  return controller_->send(reply) && is_greeted_;
}

// --- requests ------------------------------------------------------------------------

bool ControlServer::install(const ipc::InstallSession& message, Time now) {
  const PendingRequest request = pending(message.header);
  if (zeroized_by_ == connection_) {
    reply_installed(request, InstallResult::zeroized);
    return true;
  }
  const auto record = sessions_.install(message, now);
  if (!record) {
    reply_installed(request, record.error());
    return true;
  }
  (*record)->install = request;
  lanes_.watch(message.lanes_in, now);
  is_expected_old_ = true;
  for (std::size_t worker = 0; worker < plane_.workers(); ++worker) {
    Session* share = (*record)->shares[worker].get();
    (*record)->holders |= bit_of(worker);
    if (!plane_.command(worker, {.kind = Command::Kind::install, .session = share})) {
      (*record)->holders ^= bit_of(worker);
      reply_installed(std::exchange((*record)->install, {}), InstallResult::no_memory);
      if (worker == 0)
        sessions_.erase(**record);
      else
        remove_everywhere(**record);
      return true;
    }
  }
  return true;
}

// Answered when the last worker gave its share back.
bool ControlServer::remove(const ipc::RemoveSession& message) {
  SessionRecord* record = sessions_.find(message.session_id);
  const ipc::RemoveReply reply{
      .header = {.type = ipc::RemoveReply::type, .request = message.header.request},
      .was_there = 0};
  // Of a session that is on its way out already, too: one removal, one reply that says so.
  if (record == nullptr || record->remove.controller != 0) return controller_->send(reply);
  record->remove = pending(message.header);
  remove_everywhere(*record);
  return true;
}

// What was installed is on its way to the workers before this, what is refused from now on is
// not. A second order while the first is under way may find no room: that controller is dropped.
bool ControlServer::zeroize(const ipc::Zeroize& message) {
  zeroized_by_ = connection_;
  zeroize_.push_back(pending(message.header));
  controller_->wipe_received();
  for (const auto& record : sessions_.all())
    if (!std::exchange(record->is_doomed, true)) ++doomed_;
  zeroized_ = doomed_;
  log::warn(fmt::format("all keys are wiped by order: {} sessions end", doomed_));
  for (std::size_t worker = 0; worker < plane_.workers(); ++worker)
    if (!plane_.command(worker, {.kind = Command::Kind::zeroize})) return false;
  if (doomed_ == 0) reply_zeroized();
  return controller_.has_value();
}

// A worker may have handed something to one that had wiped already.
void ControlServer::end_zeroize() {
  for (std::size_t worker = 0; worker < plane_.workers() && plane_.workers() > 1; ++worker)
    static_cast<void>(plane_.command(worker, {.kind = Command::Kind::wipe}));
  reply_zeroized();
}

void ControlServer::reply_zeroized() {
  for (const PendingRequest& request : std::exchange(zeroize_, {}))
    if (request.controller == connection_)
      tell(ipc::ZeroizeReply{.header = {.type = ipc::ZeroizeReply::type, .request = request.number},
                             .sessions = zeroized_});
}

bool ControlServer::inject(const ipc::Inject& message) {
  const ipc::Datagram& datagram = message.datagram;
  if (datagram.length > datagram.bytes.size()) return false;
  plane_.send_datagram(ipc::from_wire(datagram.peer), Bytes{datagram.bytes}.first(datagram.length));
  return true;
}

// Of a session that is gone: lost, like a datagram.
bool ControlServer::inject_inside(const ipc::InjectInside& message) {
  const SessionRecord* record = sessions_.find(message.message.session_id);
  if (record != nullptr)
    plane_.send_inside(record->shares, message.message.bytes);
  else
    ++inside_gone_;
  return true;
}

void ControlServer::expect(const ipc::LinkPeer& message) {
  if (message.link >= link_peers_.size()) link_peers_.resize(message.link + 1);
  const Endpoint peer = ipc::from_wire(message.peer);
  const bool is_somewhere = message.is_gone == 0 && peer.port != 0;
  link_peers_[message.link] = is_somewhere ? std::optional{peer} : std::nullopt;
  is_expected_old_ = true;
}

// A controller that says too much at once is dropped, and says it again: a VLAN that a worker has
// not heard of would leave by another link. One that is nobody's any more may stay shut.
bool ControlServer::know_link(const ipc::LinkPeer& message) {
  if (message.link >= limits::max_links || message.vlan > VlanMap::max_vlan) return false;
  expect(message);
  if (message.is_gone == 0 && message.vlan == 0) return true;
  const Command command{
      .kind = message.is_gone != 0 ? Command::Kind::link_gone : Command::Kind::vlan,
      .link = message.link,
      .vlan = message.vlan};
  for (std::size_t worker = 0; worker < plane_.workers(); ++worker)
    if (!plane_.command(worker, command) && message.is_gone == 0) return false;
  return true;
}

// --- to the controller --------------------------------------------------------------------

void ControlServer::end_turn() {
  if (is_expected_old_) tell_expected();
  if (std::exchange(has_orders_, false))
    for (const auto& record : sessions_.all()) give_orders(*record);
}

// Whose handshake messages come out of the far sides' budget: links and living sessions. All are
// gone through, so that a thousand changes are told at once.
void ControlServer::tell_expected() {
  is_expected_old_ = false;
  std::vector<Endpoint> peers;
  for (const auto& peer : link_peers_)
    if (peer) peers.push_back(*peer);
  for (const auto& record : sessions_.all()) peers.push_back(ipc::from_wire(record->info.peer));
  plane_.expect(std::move(peers));
}

void ControlServer::add_losses(Counters& counters) const {
  const auto add = [&counters](DropReason reason, std::uint64_t count) {
    counters.drops[static_cast<std::size_t>(reason)] += count;
  };
  add(DropReason::no_controller, no_controller_);
  add(DropReason::controller_slow, controller_slow_);
  add(DropReason::inside_gone, inside_gone_);
}

void ControlServer::tell_event(EventKind kind, std::uint32_t detail, const SessionRecord& record) {
  tell(ipc::Event{.kind = kind,
                  .detail = detail,
                  .link = record.info.link,
                  .session_id = record.info.session_id});
}

void ControlServer::reply_installed(const PendingRequest& request, InstallResult result) {
  if (request.controller != connection_) return;
  tell(ipc::InstallReply{.header = {.type = ipc::InstallReply::type, .request = request.number},
                         .result = result});
}

PendingRequest ControlServer::pending(const ipc::Header& header) const {
  return {.controller = connection_, .number = header.request};
}

}  // namespace penstock::dataplane
