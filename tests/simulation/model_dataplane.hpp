// A data plane without packets: the real SessionLife, a replay window for each session, and frames
// that carry the name of the key they were sealed with. Virtual time, no DPDK, cheap to make.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "penstock/ipc/messages.hpp"
#include "penstock/link/replay_window.hpp"

#include "dataplane/session/life.hpp"

namespace penstock::simulation {

struct ModelFrame {
  std::uint32_t spi = 0;
  std::uint64_t key = 0;  // a hash of it
  std::uint64_t number = 0;
  std::vector<std::byte> control;  // a handshake message inside, or empty
};

class ModelDataplane {
 public:
  struct Outputs {
    std::function<void(ModelFrame)> send;
    std::function<void(const ipc::Event&)> event;
    std::function<void(const ipc::SessionId&, std::vector<std::byte>)> heard;
  };
  ModelDataplane(const ipc::BootId& boot_id, Outputs outputs)
      : boot_id_(boot_id), outputs_(std::move(outputs)) {}
  ModelDataplane(const ModelDataplane&) = delete;
  ModelDataplane& operator=(const ModelDataplane&) = delete;

  [[nodiscard]] ipc::InstallResult install(const ipc::InstallSession& message, Time now);
  void remove(const ipc::SessionId& id, Time now);
  void receive(const ModelFrame& frame, Time now);
  void send_inside(const ipc::SessionId& id, std::vector<std::byte> message, Time now);
  void on_timer(Time now);
  // As if a good frame of the session had arrived: a wrong that a test does.
  void believe(const ipc::SessionId& id, Time now);
  [[nodiscard]] Time deadline() const { return life_.deadline(); }

  [[nodiscard]] const ipc::BootId& boot_id() const { return boot_id_; }
  [[nodiscard]] std::vector<ipc::SessionInfo> living(Time now) const;
  [[nodiscard]] std::optional<ipc::SessionId> current() const;
  [[nodiscard]] bool has_unconfirmed() const;
  // Whether a good frame of the session, which lives, has arrived.
  [[nodiscard]] bool was_heard(const ipc::SessionId& id) const;

 private:
  struct Entry {
    dataplane::Session session;
    ipc::InstallSession message;
    std::uint64_t seal_key = 0;
    std::uint64_t open_key = 0;
    std::uint64_t next_number = 0;
    ReplayWindow window;
  };
  [[nodiscard]] Entry* find(const ipc::SessionId& id);
  void send(Entry& entry, std::vector<std::byte> control, Time now);
  void live(Time now);  // carries out what SessionLife wants
  void tell(ipc::EventKind kind, const dataplane::Session& session, std::uint32_t detail = 0);

  ipc::BootId boot_id_;
  Outputs outputs_;
  dataplane::SessionTable table_;
  dataplane::SessionLife life_{table_};
  std::vector<std::unique_ptr<Entry>> entries_;
  std::set<ipc::SessionId> seen_;
};

}  // namespace penstock::simulation
