// Two sites and a wire between them on virtual time. What happens when is decided by the seed
// alone: the same seed gives the same run.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "tests/simulation/checker.hpp"
#include "tests/simulation/controller_process.hpp"
#include "tests/simulation/dataplane_process.hpp"
#include "tests/simulation/event_log.hpp"
#include "tests/simulation/mutation.hpp"
#include "tests/simulation/nat.hpp"

namespace penstock::simulation {

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() { return engine_(); }
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool percent(unsigned chance) { return below(100) < chance; }
  // Uniform from `shortest` to `longest`.
  Time time(Time shortest, Time longest) {
    return shortest + Time{static_cast<Time::rep>(
                          below(static_cast<std::uint64_t>((longest - shortest).count()) + 1))};
  }

 private:
  std::mt19937_64 engine_;
};

// Packets that were delayed differently change places.
struct WireConditions {
  std::array<unsigned, 2> loss_percent{};  // of what each site sends; the rest is of both
  unsigned double_percent = 0;
  unsigned flip_percent = 0;    // one bit of a datagram changed
  unsigned replay_percent = 0;  // an old packet comes again
  unsigned forge_percent = 0;   // a copy comes first, from another port
  Time shortest = std::chrono::milliseconds{1};
  Time longest = std::chrono::milliseconds{1};
};

class World {
 public:
  struct Setup {
    std::uint64_t seed = 0;
    Mutation mutation = Mutation::none;
    bool is_traced = false;
    std::filesystem::path directory;  // for sockets
  };
  explicit World(const Setup& setup);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void run_until(Time end);
  [[nodiscard]] Time now() const { return now_; }
  [[nodiscard]] Chance& chance() { return chance_; }

  void start_dataplane(int site);
  void kill_dataplane(int site);
  void start_controller(int site);
  void kill_controller(int site);
  void rekey(int site);
  // Changes what may change in a config, and has it read again.
  void reload(int site);
  // The ports take only so many packets more; all they want again by open_ports().
  void choke_ports(int site);
  void open_ports(int site);
  void set_wire(const WireConditions& conditions);
  // The NAT before a site, if there is one, gives it another port.
  void rebind();
  void at(Time when, std::function<void()> what);
  void note(const std::string& text) { log.add(now_, Happening::phase, 2, text); }

  // Both send on the same session, and both controllers know.
  [[nodiscard]] bool is_settled() const;
  // The link stops where the path loses more than half.
  [[nodiscard]] bool has_breaker() const {
    return sites_[0].profile.link.shape.mode != ShapeMode::burst;
  }

  Checker checker;
  EventLog log;

 private:
  struct Site {
    SiteProfile profile;
    std::unique_ptr<DataplaneProcess> dataplane;  // empty while it is down
    std::unique_ptr<ControllerProcess> controller;
    std::filesystem::path socket;
    Nat nat;
    // By worker: kept for the next tick, wrongly.
    std::array<std::vector<dataplane::test::FakePacket>, most_workers> missed;
    bool has_caller = false;  // the controller did something at the door
    std::uint64_t lives = 0;
    bool has_spoken = false;            // the main core had a turn: perhaps to the controller
    Time dataplane_turn = Time::max();  // when one is due
    Time controller_turn = Time::max();
  };

  [[nodiscard]] Site& site(int index) { return sites_[static_cast<std::size_t>(index)]; }
  void make_profiles();
  void vary(LinkConfig& config);
  void vary(Shape& shape);
  [[nodiscard]] ShapeMode any_mode();
  [[nodiscard]] Rate any_rate();
  [[nodiscard]] unsigned any_workers();
  void place_nat();
  [[nodiscard]] std::uint16_t any_port() {
    return static_cast<std::uint16_t>(20000 + chance_.below(40000));
  }
  void wake_dataplane(int index, Time when);
  void wake_controller(int index, Time when);
  void turn_dataplane(int index);
  // Once through the workers and the main core; true: there is more to do.
  // The part of the site's data plane that does not run this turn: a worker, the main core behind
  // them, or nobody.
  [[nodiscard]] unsigned draw_slow(int index);
  bool go_round(int index, bool is_first, unsigned slow);
  bool turn_worker(int index, unsigned worker);
  void turn_controller(int index);
  void schedule_traffic(int index);
  void traffic(int index);
  // What a turn left in the ports.
  void take_wire(int index, unsigned worker);
  void take_plain(int index, unsigned worker);
  void leave(int index, unsigned worker, dataplane::test::FakePacket packet);
  void over_the_wire(int from, dataplane::test::FakePacket packet);
  void forge(int to, dataplane::test::FakePacket packet);
  void fly(int to, dataplane::test::FakePacket packet);
  void arrive(int index, dataplane::test::FakePacket packet);
  void mutate_wire(int index, unsigned worker);
  void mutate_plain(int index, unsigned worker);
  void make_two_current(int index);
  void make_up(int index, unsigned worker);
  void hold_back(int index, unsigned worker);
  [[nodiscard]] ControllerProcess::Hooks hooks(int index);

  Setup setup_;
  Chance chance_;
  Time now_ = std::chrono::seconds{1000};
  std::array<Site, 2> sites_;
  WireConditions wire_;
  std::deque<std::pair<int, dataplane::test::FakePacket>> recorded_;  // and where it went
  // What comes, by its time, and by the order in which it was said.
  std::map<std::pair<Time, std::uint64_t>, std::function<void()>> steps_;
  std::uint64_t order_ = 0;
  Time mean_gap_{};  // of traffic
  std::optional<ipc::InstallSession> first_install_;
  std::uint64_t mutate_after_ = 40;  // deliveries or frames, so that there is something to spoil
};

}  // namespace penstock::simulation
