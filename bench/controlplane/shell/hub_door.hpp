// The door at which the hub's penstockd finds its data plane: speaks include/penstock/ipc, and has
// the far sides behind it.
#pragma once

#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bench/controlplane/shell/far_sides.hpp"
#include "penstock/ipc/channel.hpp"

namespace penstock::bench {

class HubDoor {
 public:
  HubDoor(const std::filesystem::path& socket, const std::vector<std::string>& keys);

  // Serves for a turn, of at most some milliseconds.
  void turn();

  [[nodiscard]] std::size_t current() const { return far_sides_.current(); }
  // When the controller first said hello; and how often it did: more than once, and it lost us.
  [[nodiscard]] std::optional<Time> connected_at() const { return connected_at_; }
  [[nodiscard]] unsigned connections() const { return connections_; }
  [[nodiscard]] unsigned installs() const { return installs_; }

 private:
  void accept();
  void read(Time now);
  void dispatch(const ipc::Received& message, Time now);
  void greet(std::uint32_t request, Time now);
  void list(std::uint32_t request, Time now);
  template <ipc::Message M>
  void send(const M& message);
  void flush();

  ipc::BootId boot_id_{std::byte{1}};
  UniqueFd listener_;
  std::optional<ipc::Channel> client_;
  FarSides far_sides_;
  std::deque<std::vector<std::byte>> waiting_;  // for the controller to read
  Time next_timer_{};
  std::optional<Time> connected_at_;
  unsigned connections_ = 0;
  unsigned installs_ = 0;
};

}  // namespace penstock::bench
