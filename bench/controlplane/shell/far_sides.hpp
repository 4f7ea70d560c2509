// The far sides of a hub's links, in this process: the real link controllers, and for each link a
// virtual data plane at either end of a wire that loses nothing.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/controlplane/session/virtual_dataplane.hpp"

#include "controlplane/session/link_controller.hpp"
#include "controlplane/session/slot_allocator.hpp"

namespace penstock::bench {

using controlplane::VirtualDataplane;

inline constexpr std::string_view hub_name = "hub";
inline constexpr std::string_view hub_address = "10.0.0.1";

// The far side of link `index`: "p17", and an address that is its alone.
[[nodiscard]] std::string far_name(std::size_t index);
[[nodiscard]] std::string far_address(std::size_t index);

class FarSides {
 public:
  // What arrives at the hub's data plane, for the hub's controller.
  struct Outputs {
    std::function<void(const Endpoint& from, Bytes)> punt;
    std::function<void(const ipc::SessionId&, Bytes)> punt_inside;
    std::function<void(const ipc::Event&)> event;
  };

  // A link for each of the keys, with the far side down.
  FarSides(const std::vector<std::string>& keys, const ipc::BootId& boot_id, Outputs outputs);
  FarSides(const FarSides&) = delete;
  FarSides& operator=(const FarSides&) = delete;
  ~FarSides();

  void start(Time now);
  void on_timer(Time now);
  // Carries what is on the wires to where it goes; call after everything else.
  void deliver(Time now);

  // --- what the hub's controller asks of its data plane
  [[nodiscard]] ipc::InstallResult install(const ipc::InstallSession& message, Time now);
  [[nodiscard]] bool remove(const ipc::SessionId& id);
  void inject(const Endpoint& to, Bytes datagram, Time now);
  void inject_inside(const ipc::SessionId& id, Bytes message, Time now);
  [[nodiscard]] std::vector<ipc::SessionInfo> living(Time now) const;

  // The links whose hub has a current session.
  [[nodiscard]] std::size_t current() const;

 private:
  struct Link;

  [[nodiscard]] Link* at(const Endpoint& address) const;
  [[nodiscard]] Link* of(const ipc::SessionId& id) const;
  void settle(Link& link, Time now);
  void install(Link& link, controlplane::Install& wanted, Time now);

  controlplane::SystemEntropy entropy_;
  Outputs outputs_;
  std::vector<std::unique_ptr<Link>> links_;
  std::map<std::array<std::byte, 16>, Link*> by_address_;
  std::map<ipc::SessionId, Link*> by_session_;
  std::deque<std::function<void(Time)>> wire_;
};

}  // namespace penstock::bench
