// A data plane for simulation: keeps sessions as docs/protocol.md section 6 "Activation" says,
// on virtual time, and sends frames that carry the key they were sealed with.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "penstock/wire/frame.hpp"

#include "controlplane/session/link_controller.hpp"

namespace penstock::controlplane {

using LaneKey = std::array<std::byte, 32>;

struct VirtualFrame {
  std::uint32_t spi = 0;
  LaneKey key{};
  std::vector<std::byte> control{};  // a handshake message inside, or empty
};

class VirtualDataplane {
 public:
  struct Outputs {
    std::function<void(const VirtualFrame&)> send;
    std::function<void(const ipc::Event&)> event;
    std::function<void(const ipc::SessionId&, const std::vector<std::byte>&)> punt_inside =
        [](const auto&, const auto&) {};
  };
  struct Counters {
    std::uint64_t opened = 0;
    std::uint64_t unknown = 0;    // frames for no session
    std::uint64_t wrong_key = 0;  // the two sides do not agree on keys: never
    std::uint64_t refused = 0;    // installs
  };

  VirtualDataplane(ipc::BootId boot_id, Outputs outputs)
      : boot_id_(boot_id), outputs_(std::move(outputs)) {}

  [[nodiscard]] ipc::InstallResult install(const ipc::InstallSession& message, Time now);
  void remove(const ipc::SessionId& id);
  void receive(const VirtualFrame& frame, Time now);
  // False: the session is gone.
  bool send_inside(const ipc::SessionId& id, std::vector<std::byte> message, Time now);
  // Sends a frame of traffic on the current session, if there is one.
  void traffic(Time now);
  void on_timer(Time now);

  [[nodiscard]] std::optional<ipc::SessionId> current() const;
  [[nodiscard]] std::vector<ipc::SessionInfo> living(Time now) const;
  [[nodiscard]] const ipc::BootId& boot_id() const { return boot_id_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  struct Session {
    ipc::InstallSession message;
    ipc::SessionState state = ipc::SessionState::unconfirmed;
    Time installed_at{};
    Time state_ends{};
    Time confirm_at{};
    Time confirm_wait{};
    Time last_sent{};
    Time answers_end{};
  };

  void send_on(Session& session, Time now, std::vector<std::byte> control = {});
  void confirm(Session& session, Time now);
  void retire(Session& session, Time now);
  void tell(ipc::EventKind kind, const Session& session, std::uint32_t detail = 0);

  ipc::BootId boot_id_;
  Outputs outputs_;
  std::vector<Session> sessions_;  // in order of install
  std::set<ipc::SessionId> seen_;
  Counters counters_;
};

}  // namespace penstock::controlplane
