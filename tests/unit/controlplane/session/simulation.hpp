// Two sites on virtual time: the real link controllers, virtual data planes, and a wire that
// loses, doubles and delays by a seed. The same seed gives the same run.
#pragma once

#include <memory>
#include <optional>
#include <queue>
#include <string>

#include "tests/unit/controlplane/seeded_entropy.hpp"
#include "tests/unit/controlplane/session/virtual_dataplane.hpp"

#include "controlplane/session/slot_allocator.hpp"

namespace penstock::controlplane {

using namespace std::chrono_literals;

struct WireModel {
  unsigned loss_percent = 0;
  unsigned double_percent = 0;
  Time shortest = 1ms;
  Time longest = 1ms;
};

class Simulation {
 public:
  struct SiteSetup {
    std::string key = "a key file of at least 32 bytes, shared";
    std::vector<Suite> suites{{KeyExchange::x25519, Protection::aes256_ctr_sha256}};
    std::uint8_t tag = 16;
    std::uint8_t min_tag = 16;
    Time rekey_after = limits::rekey_after;
    Shape shape{};
  };

  explicit Simulation(std::uint64_t seed) : Simulation(seed, {}, {}) {}
  Simulation(std::uint64_t seed, SiteSetup alpha, SiteSetup beta);
  Simulation(const Simulation&) = delete;

  struct Site {
    std::string name;
    std::string peer;
    Endpoint address;
    Endpoint peer_address;
    SiteSetup setup;
    std::unique_ptr<SeededEntropy> entropy;
    std::unique_ptr<VirtualDataplane> dataplane;  // empty while it is down
    std::unique_ptr<SlotAllocator> slots;
    std::unique_ptr<LinkController> controller;  // empty while penstockd is down
    unsigned life = 0;                           // of the controller and of its connection
    unsigned boots = 0;
    std::vector<std::string> notices;
    std::vector<std::string> errors;    // those of them that are
    std::uint64_t datagrams_sent = 0;   // handshake messages in the clear
    std::uint64_t messages_inside = 0;  // and inside a session
    Endpoint installed_towards;         // the peer of the last session
    VirtualDataplane::Counters past{};  // of data planes that are gone
  };
  Site& site(int index) { return sites_[static_cast<std::size_t>(index)]; }

  void start_dataplane(int index);
  void stop_dataplane(int index);
  void start_controller(int index);
  void stop_controller(int index);
  void start_both();

  void run_for(Time duration);
  // True as soon as both data planes send on the same session and both controllers know.
  bool run_until_converged(Time at_most);
  [[nodiscard]] bool is_converged();
  void rekey(int index);
  // Puts a datagram on the wire as if `index` had sent it.
  void inject(int index, std::vector<std::byte> bytes);

  Time now = 1s;
  WireModel wire;
  bool has_traffic = true;
  bool frames_pass = true;
  std::optional<Endpoint> source_of_message_4;  // somebody sends it on from there

 private:
  struct Step {
    Time at;
    std::uint64_t order;
    std::function<void()> run;
    bool operator<(const Step& other) const {
      return std::pair{other.at, other.order} < std::pair{at, order};
    }
  };

  void later(Time delay, std::function<void()> run);
  void over_the_wire(std::function<void()> arrive);
  void connect(int index);
  void settle(int index);
  void carry_out(int index, Action action);
  void frame_arrives(int index, const VirtualFrame& frame);
  void datagram_arrives(int index, const Endpoint& from, const std::vector<std::byte>& bytes);
  void tick();

  SeededEntropy chance_;
  std::array<Site, 2> sites_;
  std::priority_queue<Step> steps_;
  std::uint64_t order_ = 0;
};

}  // namespace penstock::controlplane
