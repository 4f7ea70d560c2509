// One life of a site's data plane: the real worker and the real main core between ports in
// memory, with a real socket for its controller, on virtual time.
#pragma once

#include <filesystem>
#include <memory>

#include "penstock/ipc/messages.hpp"
#include "tests/simulation/profile.hpp"
#include "tests/unit/dataplane/fixture/environment.hpp"
#include "tests/unit/dataplane/fixture/fake_port.hpp"

#include "dataplane/main_core.hpp"

namespace penstock::simulation {

// What outlives a data plane: making it anew for each life would take most of a run's time.
struct Machine {
  dataplane::Pool frames;
  dataplane::Pool punts;
  FrameEngine engine;  // the main core's

  // Of site 0 or 1; made once a program.
  [[nodiscard]] static Machine& of(int site);
};

class DataplaneProcess {
 public:
  DataplaneProcess(const SiteProfile& profile, const ipc::BootId& boot_id,
                   const std::filesystem::path& socket, Time now);
  // As if killed: what was open or held is gone.
  ~DataplaneProcess();
  DataplaneProcess(const DataplaneProcess&) = delete;
  DataplaneProcess& operator=(const DataplaneProcess&) = delete;

  // True when there was something to do.
  bool turn_worker(Time now) { return worker_->turn(now); }
  // `has_caller`: the controller came, spoke or went. Does nothing, for a simulation's speed, where
  // there is nothing to do; false then.
  bool turn_main_core(Time now, bool has_caller);
  [[nodiscard]] bool has_commands() const { return !mailbox_.commands.empty(); }
  [[nodiscard]] Time deadline() const {
    return std::min(worker_->deadline(), main_core_->deadline());
  }
  [[nodiscard]] Counters counters() const { return worker_->counters(); }
  [[nodiscard]] std::span<const std::unique_ptr<dataplane::SessionRecord>> sessions() const {
    return main_core_->sessions().all();
  }
  // What the link sends on; null: nothing.
  [[nodiscard]] const dataplane::SessionRecord* current() const;

  dataplane::test::FakePort plain;
  dataplane::test::FakePort wire;

 private:
  dataplane::PortInfo plain_info_{.name = "plain", .mac = {}, .mtu = 1500, .takes_offload = true};
  dataplane::Wake wake_;
  dataplane::Mailbox mailbox_{0};
  std::unique_ptr<dataplane::Worker> worker_;
  std::unique_ptr<dataplane::MainCore> main_core_;
};

}  // namespace penstock::simulation
