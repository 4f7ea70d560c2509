// One life of a site's data plane: the real workers and the real main core between ports in
// memory, with a real socket for its controller, on virtual time. Every worker has a queue of its
// own at both ports, and what comes is steered to them as a port would.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "penstock/ipc/messages.hpp"
#include "tests/simulation/profile.hpp"
#include "tests/unit/dataplane/fixture/environment.hpp"
#include "tests/unit/dataplane/fixture/fake_port.hpp"

#include "dataplane/main_core.hpp"

namespace penstock::simulation {

// What outlives a data plane: making it anew for each life would take most of a run's time.
struct Machine {
  std::array<dataplane::Pool, most_workers> frames;
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

  [[nodiscard]] unsigned workers() const { return static_cast<unsigned>(posts_.size()); }
  // Who gets the packets of a flow at the plain port.
  [[nodiscard]] unsigned worker_of_flow(std::uint8_t flow) const {
    return (flow + steered_from_) % workers();
  }
  // Who gets this from the wire: a data frame the owner of its lane; empty: anybody.
  [[nodiscard]] std::optional<unsigned> owner_of(Bytes packet) const;
  [[nodiscard]] dataplane::test::FakePort& plain(unsigned worker) { return posts_[worker]->plain; }
  [[nodiscard]] dataplane::test::FakePort& wire(unsigned worker) { return posts_[worker]->wire; }

  [[nodiscard]] bool has_work(unsigned worker, Time now) const;
  // True when there was something to do.
  bool turn_worker(unsigned worker, Time now) { return posts_[worker]->worker->turn(now); }
  // `has_caller`: the controller came, spoke or went. Does nothing, for a simulation's speed, where
  // there is nothing to do; false then.
  bool turn_main_core(Time now, bool has_caller);
  // For another worker than this one.
  [[nodiscard]] bool has_commands(unsigned but) const;
  // What the main core has for a worker of this kind is lost.
  void lose_commands(unsigned worker, dataplane::Command::Kind kind);
  // The main core was woken.
  [[nodiscard]] bool has_news() const;
  [[nodiscard]] Time deadline() const;
  [[nodiscard]] Time deadline(unsigned worker) const { return posts_[worker]->worker->deadline(); }
  [[nodiscard]] Counters counters(unsigned worker) const {
    return posts_[worker]->worker->counters();
  }
  [[nodiscard]] std::span<const std::unique_ptr<dataplane::SessionRecord>> sessions() const {
    return main_core_->sessions().all();
  }
  // What a worker sends on for the link, and what all of them do; null: nothing.
  [[nodiscard]] const dataplane::SessionRecord* current(unsigned worker) const;
  [[nodiscard]] const dataplane::SessionRecord* current() const;

 private:
  // A worker, and what is its own.
  struct Post {
    explicit Post(unsigned index) : mailbox(index) {}
    dataplane::test::FakePort plain;
    dataplane::test::FakePort wire;
    dataplane::Mailbox mailbox;
    std::unique_ptr<dataplane::Worker> worker;
  };
  void add_worker(const SiteProfile& profile);

  dataplane::PortInfo plain_info_{.name = "plain", .mac = {}, .mtu = 1500, .takes_offload = true};
  dataplane::Wake wake_;
  std::vector<std::unique_ptr<Post>> posts_;
  unsigned steered_from_;  // RSS keys and fanouts are another's in each life
  std::unique_ptr<dataplane::MainCore> main_core_;
};

}  // namespace penstock::simulation
