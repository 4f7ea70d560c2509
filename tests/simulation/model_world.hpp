// The state that the model explores: two LinkControllers, two ModelDataplanes, and what is on its
// way between them. Nothing happens by itself: every step is a choice.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "tests/simulation/failure.hpp"
#include "tests/simulation/model_dataplane.hpp"
#include "tests/simulation/profile.hpp"
#include "tests/unit/controlplane/seeded_entropy.hpp"

#include "controlplane/session/link_controller.hpp"
#include "controlplane/session/slot_allocator.hpp"

namespace penstock::simulation {

struct Choice {
  enum class Kind : std::uint8_t {
    read,              // a controller reads what its data plane has for it
    deliver,           // the oldest message on its way from `site`
    tick,              // time goes on to the next deadline of anybody
    rekey,             // the operator's command
    lose,              // faults from here on: the message at `place` is lost
    repeat,            // ... arrives, and will once more
    overtake,          // ... arrives before those that were sent earlier
    delay,             // a tick although messages are on their way
    cut,               // what `site` has on its way, and sends from now on for a while, is lost
    crash_controller,  // and it starts again at once; what it had not read is lost
    crash_dataplane,   // the same, and its sessions die
  };
  Kind kind{};
  std::uint8_t site = 0;
  std::uint8_t place = 0;

  [[nodiscard]] bool is_fault() const { return kind >= Kind::lose; }
  [[nodiscard]] std::string text() const;
};

// A wrong done on purpose, to see that the properties can fail.
enum class ModelMutation : std::uint8_t {
  none,
  repeats_a_key,      // sessions are installed with the keys of the first
  believes_at_once,   // a data plane takes a session for confirmed when it is installed
  forgets_a_session,  // a command of its controller loses the current session
  is_deaf,            // no frame arrives
};

struct ModelSetup {
  std::uint64_t seed = 0;   // of the nonces: decides ties
  bool has_session = true;  // both begin with a session, else with nothing
  ModelMutation mutation = ModelMutation::none;
};

class ModelWorld {
 public:
  explicit ModelWorld(const ModelSetup& setup);
  ModelWorld(const ModelWorld&) = delete;
  ModelWorld& operator=(const ModelWorld&) = delete;

  // What may happen without a fault; one of each pair that commutes is enough where no fault can
  // come between.
  [[nodiscard]] std::vector<Choice> free_choices() const;
  [[nodiscard]] std::vector<Choice> faults() const;
  // Throws the Failure that it finds.
  void apply(const Choice& choice);

  [[nodiscard]] std::uint64_t fingerprint() const;
  // Both send on the same session, both controllers know, and nothing is under way.
  [[nodiscard]] bool is_settled() const;
  [[nodiscard]] bool is_quiet() const;  // nothing waits but for time
  [[nodiscard]] Time now() const { return now_; }
  // For the report of a failure: the time, and what each site sends on and thinks.
  [[nodiscard]] std::string text() const;

 private:
  using Message = std::variant<std::vector<std::byte>, ModelFrame>;  // a datagram in the clear
  struct InstallDone {
    std::uint32_t request;
    ipc::InstallResult result;
  };
  struct Heard {
    ipc::SessionId session;
    std::vector<std::byte> message;
  };
  using Mail = std::variant<InstallDone, ipc::Event, Heard>;
  struct Site {
    SiteProfile profile;
    std::unique_ptr<ModelDataplane> dataplane;
    std::unique_ptr<controlplane::SeededEntropy> entropy;
    std::unique_ptr<controlplane::SlotAllocator> slots;
    std::unique_ptr<controlplane::LinkController> link;
    std::deque<Mail> mail;       // from the data plane, not read yet
    std::deque<Message> outbox;  // on its way to the other site, oldest first
    Time cut_until{};            // nothing of what it sends arrives
    std::uint64_t lives = 0;
    std::uint64_t history = 0;                // a hash of all that ever reached this site, and when
    std::optional<ipc::LaneKeys> first_keys;  // for sealing
    std::set<std::uint64_t> sealed_with;      // keys, ever
  };
  Site& site(int index) { return sites_[static_cast<std::size_t>(index)]; }

  void start_dataplane(int index);
  void start_controller(int index);
  void connect(int index);
  void send(int index, Message message);
  void begin_with_session();
  void install_first(int index, const ipc::InstallSession& message);
  void read(int index);
  void arrive(int from, std::size_t place, bool is_kept);
  void tick();
  void settle(int index);  // carries out what the controller wants
  void carry_out(int index, controlplane::Action action);
  void install(int index, controlplane::Install& wanted);
  void check_currents();
  [[nodiscard]] Time next_deadline() const;
  void remember(int index, std::uint64_t what);

  ModelSetup setup_;
  Time now_ = std::chrono::seconds{1000};
  std::array<Site, 2> sites_;
  std::array<std::optional<ipc::SessionId>, 2> currents_;  // before the latest choice
};

}  // namespace penstock::simulation
