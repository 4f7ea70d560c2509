// The data plane's end of the door between the planes (include/penstock/ipc/messages.hpp): one
// controller at a time; requests in, replies, punts and events out. One that reads slowly loses
// punts; one that breaks the contract, does not read at all, or goes away loses its connection,
// and disturbs nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "penstock/base/clock.hpp"
#include "penstock/base/unique_fd.hpp"
#include "penstock/ipc/channel.hpp"
#include "penstock/ipc/messages.hpp"

#include "dataplane/control/controller_line.hpp"
#include "dataplane/control/lane_watch.hpp"
#include "dataplane/control/plane.hpp"
#include "dataplane/control/session_directory.hpp"

namespace penstock::dataplane {

class ControlServer {
 public:
  struct Setup {
    UniqueFd listener;
    ipc::HelloReply hello;  // everything but the header
    Time started{};
    std::string topology{};       // as text, for who asks
    std::vector<Endpoint> peers;  // of the links, in their order, until the controller knows better
  };
  ControlServer(Setup setup, SessionDirectory& sessions, Plane& plane);

  [[nodiscard]] int listener_fd() const { return setup_.listener.get(); }
  [[nodiscard]] int controller_fd() const { return controller_ ? controller_->fd() : -1; }
  // Whether to wait for the controller to read, too.
  [[nodiscard]] bool is_waiting() const { return controller_ && controller_->is_waiting(); }

  void on_connection();        // the listener is readable
  void on_readable(Time now);  // the controller is
  void on_writable();          // likewise, while something waits for it
  void on_note(const Note& note);
  void on_handshake(const Endpoint& from, Bytes datagram);
  void on_moved(const SessionRecord& record);                     // its frames go to info.peer now
  void on_path(SessionRecord& record, std::uint16_t frame_size);  // so much passes where it goes
  // A handshake message that came through the SA with this SPI.
  void on_inside(Spi spi, Bytes message);

  void on_timer(Time now);  // at deadline()
  [[nodiscard]] Time deadline() const { return lanes_.deadline(); }

  // When all that waited was read: tells the plane what follows from it, once.
  void end_turn();
  // Workers wait for orders that their mailboxes had no room for: another turn, soon.
  [[nodiscard]] bool has_orders() const { return has_orders_; }

  // What was meant for the controller, or came from it, and was lost here: adds it.
  void add_losses(Counters& counters) const;

 private:
  [[nodiscard]] bool obey(const ipc::Received& message, Time now);
  [[nodiscard]] bool greet(const ipc::Hello& hello);
  [[nodiscard]] bool install(const ipc::InstallSession& message, Time now);
  [[nodiscard]] bool remove(const ipc::RemoveSession& message);
  [[nodiscard]] bool list(const ipc::ListSessions& message, Time now);
  [[nodiscard]] bool list(const ipc::ListLinks& message);
  [[nodiscard]] bool list(const ipc::ListWorkers& message);
  [[nodiscard]] bool list(const ipc::GetTopology& message);
  [[nodiscard]] bool end_list(const ipc::Header& question, std::size_t count);
  [[nodiscard]] bool inject(const ipc::Inject& message);
  [[nodiscard]] bool inject_inside(const ipc::InjectInside& message);
  [[nodiscard]] bool zeroize(const ipc::Zeroize& message);
  [[nodiscard]] bool know_link(const ipc::LinkPeer& message);
  void expect(const ipc::LinkPeer& message);
  [[nodiscard]] bool report(const ipc::GetStats& message, Time now);

  void on_installed(SessionRecord& record);
  void on_confirmed(SessionRecord& record, const Session& share);
  void on_rekey_wanted(SessionRecord& record);
  void on_silence(SessionRecord& record);
  void on_breaker(const SessionRecord& record);
  void on_returned(SessionRecord& record, const Session& share, ipc::RemovalReason reason);
  void remove_everywhere(SessionRecord& record);
  void give_orders(SessionRecord& record);

  // To the controller, if there is one that said hello; drops it when too much waits for it.
  template <ipc::Message M>
  void tell(const M& message);
  // The same, of what may be lost.
  template <ipc::Message M>
  void pass_up(const M& message);
  void tell_expected();
  void tell_event(ipc::EventKind kind, std::uint32_t detail, const SessionRecord& record);
  void reply_installed(const PendingRequest& request, ipc::InstallResult result);
  [[nodiscard]] PendingRequest pending(const ipc::Header& header) const;
  void drop_controller();
  void end_zeroize();
  void reply_zeroized();

  Setup setup_;
  SessionDirectory& sessions_;
  Plane& plane_;
  std::vector<std::optional<Endpoint>> link_peers_;
  bool is_expected_old_ = false;  // the plane was not told of all that link_peers_ and sessions say
  std::optional<ControllerLine> controller_;
  bool is_greeted_ = false;
  std::optional<std::uint32_t> refused_version_;  // of the last one that was refused and told of
  std::uint64_t zeroized_by_ = 0;                 // the last connection that had all keys wiped
  std::vector<PendingRequest> zeroize_;           // answered when no session is doomed any more
  std::uint32_t zeroized_ = 0;                    // sessions that there were
  std::uint32_t doomed_ = 0;                      // of them, still there
  std::unordered_map<std::uint32_t, std::uint64_t> confirmed_;  // by link: the latest one's order
  std::set<std::uint32_t> stopped_;                             // links, as they were told
  LaneWatch lanes_;
  bool has_orders_ = false;
  std::uint64_t connection_ = 0;  // counts them; replies go only to the one that asked
  std::uint64_t no_controller_ = 0;
  std::uint64_t controller_slow_ = 0;
  std::uint64_t inside_gone_ = 0;
};

template <ipc::Message M>
void ControlServer::tell(const M& message) {
  if (is_greeted_ && !controller_->send(message)) drop_controller();
}

template <ipc::Message M>
void ControlServer::pass_up(const M& message) {
  if (!is_greeted_) {
    ++no_controller_;
    return;
  }
  const ipc::SendStatus status = controller_->offer(message);
  if (status == ipc::SendStatus::sent) return;
  ++controller_slow_;
  if (status == ipc::SendStatus::gone) drop_controller();
}

}  // namespace penstock::dataplane
