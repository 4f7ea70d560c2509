// The data plane's end of the door between the planes (include/penstock/ipc/messages.hpp): one
// controller at a time; requests in, replies, punts and events out. A controller that breaks
// the contract, does not read, or goes away loses its connection and disturbs nothing else.
#pragma once

#include <cstdint>
#include <optional>

#include "penstock/base/clock.hpp"
#include "penstock/base/unique_fd.hpp"
#include "penstock/ipc/channel.hpp"
#include "penstock/ipc/messages.hpp"

#include "dataplane/control/plane.hpp"
#include "dataplane/control/session_directory.hpp"

namespace penstock::dataplane {

class ControlServer {
 public:
  struct Setup {
    UniqueFd listener;
    ipc::HelloReply hello;  // everything but the header
    Time started{};
  };
  ControlServer(Setup setup, SessionDirectory& sessions, Plane& plane)
      : setup_(std::move(setup)), sessions_(sessions), plane_(plane) {}

  [[nodiscard]] int listener_fd() const { return setup_.listener.get(); }
  [[nodiscard]] int controller_fd() const { return controller_ ? controller_->fd() : -1; }

  void on_connection();        // the listener is readable
  void on_readable(Time now);  // the controller is
  void on_note(const Note& note);
  void on_handshake(const Endpoint& from, Bytes datagram);
  void on_moved(const SessionRecord& record);  // its frames go to info.peer now
  // A handshake message that came through the SA with this SPI.
  void on_inside(Spi spi, Bytes message);

 private:
  [[nodiscard]] bool obey(const ipc::Received& message, Time now);
  [[nodiscard]] bool greet(const ipc::Hello& hello);
  [[nodiscard]] bool install(const ipc::InstallSession& message, Time now);
  [[nodiscard]] bool remove(const ipc::RemoveSession& message);
  [[nodiscard]] bool list(const ipc::ListSessions& message, Time now);
  [[nodiscard]] bool inject(const ipc::Inject& message);
  [[nodiscard]] bool inject_inside(const ipc::InjectInside& message);
  [[nodiscard]] bool zeroize(const ipc::Zeroize& message);
  [[nodiscard]] bool know_link(const ipc::LinkPeer& message);
  [[nodiscard]] bool report(const ipc::GetStats& message, Time now);

  void on_installed(SessionRecord& record);
  void on_confirmed(SessionRecord& record);
  void on_rekey_wanted(SessionRecord& record);
  void on_silence(SessionRecord& record);
  void on_returned(SessionRecord& record, ipc::RemovalReason reason);

  // To the controller, if there is one that said hello; drops it when it does not read.
  template <ipc::Message M>
  void tell(const M& message);
  void tell_event(ipc::EventKind kind, std::uint32_t detail, const SessionRecord& record);
  void reply_installed(const PendingRequest& request, ipc::InstallResult result);
  [[nodiscard]] PendingRequest pending(const ipc::Header& header) const;
  void drop_controller();
  void reply_zeroized();

  Setup setup_;
  SessionDirectory& sessions_;
  Plane& plane_;
  std::optional<ipc::Channel> controller_;
  bool is_greeted_ = false;
  std::optional<std::uint32_t> refused_version_;  // of the last one that was refused and told of
  std::uint64_t zeroized_by_ = 0;                 // the last connection that had all keys wiped
  PendingRequest zeroize_;                        // answered when no session is doomed any more
  std::uint32_t zeroized_ = 0;                    // sessions that there were
  std::uint32_t doomed_ = 0;                      // of them, still there
  std::uint64_t connection_ = 0;  // counts them; replies go only to the one that asked
};

}  // namespace penstock::dataplane
