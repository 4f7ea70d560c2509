// One life of a site's penstockd: the real LinkController, and its end of the door to the data
// plane (what controlplane/shell does with sockets and the clock of the machine), on virtual time.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "penstock/ipc/channel.hpp"
#include "tests/simulation/profile.hpp"
#include "tests/unit/controlplane/seeded_entropy.hpp"

#include "controlplane/session/link_controller.hpp"
#include "controlplane/session/slot_allocator.hpp"

namespace penstock::simulation {

class ControllerProcess {
 public:
  // What the simulation looks at, and may change.
  struct Hooks {
    std::function<void(ipc::InstallSession&)> installing;
    std::function<void(const ipc::Event&)> heard;
    std::function<void(const std::string&)> told;
  };
  ControllerProcess(const SiteProfile& profile, std::uint64_t seed, std::filesystem::path socket,
                    Hooks hooks, Time now);

  // Reads what waits, does what is due, sends what follows.
  void turn(Time now);
  void rekey(Time now);
  // The config was changed and read again.
  void reload(const SiteProfile& profile, Time now);
  [[nodiscard]] Time deadline() const;
  // Whether a message of the data plane waits.
  [[nodiscard]] bool has_mail() const;
  [[nodiscard]] controlplane::LinkStatus status() const { return link_.status(); }

 private:
  enum class State : std::uint8_t { away, greeting, listing, up };

  void connect(Time now);
  void lose(Time now);
  void read(const ipc::Received& message, Time now);
  void on_hello(const ipc::HelloReply& reply);
  void come_up(Time now);
  void settle(Time now);
  void carry_out(controlplane::Action action, Time now);
  template <ipc::Message M>
  void send(const M& message) {
    if (channel_) static_cast<void>(channel_->send(message));
  }
  template <ipc::Message M>
  std::uint32_t request(M& message) {
    message.header.request = ++last_request_;
    send(message);
    return last_request_;
  }

  std::filesystem::path socket_;
  Hooks hooks_;
  controlplane::SeededEntropy entropy_;
  controlplane::SlotAllocator slots_{entropy_};
  controlplane::LinkController link_;

  State state_ = State::away;
  std::optional<ipc::Channel> channel_;
  Time connect_at_;
  controlplane::DataplaneFacts facts_;
  std::vector<ipc::SessionInfo> living_;
  std::vector<ipc::Event> early_events_;
  std::uint32_t last_request_ = 0;
  std::map<std::uint32_t, std::uint32_t> installs_;  // our number to the link's
};

}  // namespace penstock::simulation
