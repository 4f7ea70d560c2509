#include "world.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace penstock::simulation {
namespace {

using namespace std::chrono_literals;
using dataplane::test::FakePacket;

constexpr std::size_t most_recorded = 100;
constexpr int rounds_a_turn = 1000;  // more: two parts of a site keep each other busy
constexpr Time longest_slow = 2ms;   // that a part of a data plane does not run
constexpr unsigned nobody = most_workers + 1;

}  // namespace

World::World(const Setup& setup)
    : checker(setup.seed), log(setup.is_traced), setup_(setup), chance_(setup.seed) {
  make_profiles();
  place_nat();
  for (int i = 0; i < 2; ++i) {
    start_dataplane(i);
    start_controller(i);
    schedule_traffic(i);
  }
}

// --- processes -------------------------------------------------------------------------

void World::start_dataplane(int index) {
  Site& self = site(index);
  if (self.dataplane) return;
  ipc::BootId boot_id{};
  store_be64(boot_id.data(), setup_.seed);
  store_be64(&boot_id[8], ++self.lives * 2 + static_cast<std::uint64_t>(index));
  self.dataplane = std::make_unique<DataplaneProcess>(self.profile, boot_id, self.socket, now_);
  checker.dataplane_started(index);
  log.add(now_, Happening::dataplane_started, index);
  wake_dataplane(index, now_);
}

void World::kill_dataplane(int index) {
  if (!site(index).dataplane) return;
  log.add(now_, Happening::dataplane_died, index);
  site(index).dataplane.reset();
  wake_controller(index, now_ + chance_.time(0ms, 2ms));
}

void World::start_controller(int index) {
  Site& self = site(index);
  if (self.controller) return;
  const std::uint64_t seed =
      setup_.seed * 1000003 + ++self.lives * 2 + static_cast<std::uint64_t>(index);
  self.controller =
      std::make_unique<ControllerProcess>(self.profile, seed, self.socket, hooks(index), now_);
  log.add(now_, Happening::controller_started, index);
  wake_controller(index, now_);
}

void World::kill_controller(int index) {
  if (!site(index).controller) return;
  log.add(now_, Happening::controller_died, index);
  site(index).controller.reset();
  site(index).has_caller = true;
  wake_dataplane(index, now_);
}

void World::rekey(int index) {
  if (!site(index).controller) return;
  log.add(now_, Happening::rekey_asked, index);
  site(index).controller->rekey(now_);
  site(index).has_caller = true;
  wake_controller(index, now_);
}

void World::reload(int index) {
  Site& self = site(index);
  vary(self.profile.link);
  log.add(now_, Happening::reloaded, index);
  if (!self.controller) return;
  self.controller->reload(self.profile, now_);
  self.has_caller = true;
  wake_controller(index, now_);
}

void World::choke_ports(int index) {
  if (!site(index).dataplane) return;
  for (unsigned worker = 0; worker < site(index).dataplane->workers(); ++worker) {
    site(index).dataplane->wire(worker).accepts = chance_.below(40);
    site(index).dataplane->plain(worker).accepts = chance_.below(40);
  }
}

void World::open_ports(int index) {
  if (!site(index).dataplane) return;
  for (unsigned worker = 0; worker < site(index).dataplane->workers(); ++worker) {
    site(index).dataplane->wire(worker).accepts = dataplane::test::FakePort{}.accepts;
    site(index).dataplane->plain(worker).accepts = dataplane::test::FakePort{}.accepts;
  }
}

ControllerProcess::Hooks World::hooks(int index) {
  return {.installing =
              [this, index](ipc::InstallSession& message) {
                log.add(now_, Happening::installed, index, load_be64(message.session_id.data()));
                if (setup_.mutation == Mutation::outlives_its_age) message.max_age_ns *= 1000;
                if (setup_.mutation == Mutation::repeats_a_key && index == 0) {
                  if (!first_install_) first_install_ = message;
                  if (message.suite == first_install_->suite) message.out = first_install_->out;
                }
                checker.installing(index, message);
                if (setup_.mutation == Mutation::exceeds_its_rate)
                  for (std::uint64_t& rate : message.shaping.rates) rate += rate / 10;
              },
          .heard =
              [this, index](const ipc::Event& event) {
                const bool is_confirmed = event.kind == ipc::EventKind::session_confirmed;
                log.add(now_, is_confirmed ? Happening::confirmed : Happening::removed, index,
                        load_be64(event.session_id.data()),
                        static_cast<std::uint64_t>(event.kind) * 100 + event.detail);
              },
          .told = [this, index](
                      const std::string& text) { log.add(now_, Happening::told, index, text); }};
}

bool World::is_settled() const {
  for (const Site& self : sites_) {
    if (!self.dataplane || !self.controller) return false;
    const auto* const current = self.dataplane->current();
    if (current == nullptr || self.controller->status().session_id != current->info.session_id)
      return false;
    // Of a session that a storm kept until its hard stop, one end goes a moment before the other.
    constexpr Time time_to_rekey = 30s;
    if (now_ > current->installed_at + checker.max_age() - time_to_rekey) return false;
  }
  return sites_[0].dataplane->current()->info.session_id ==
         sites_[1].dataplane->current()->info.session_id;
}

// --- time --------------------------------------------------------------------------------

void World::at(Time when, std::function<void()> what) {
  steps_.emplace(std::pair{std::max(when, now_), order_++}, std::move(what));
}

void World::run_until(Time end) {
  while (!steps_.empty() && steps_.begin()->first.first <= end) {
    const auto step = steps_.extract(steps_.begin());
    now_ = step.key().first;
    step.mapped()();
  }
  now_ = end;
}

void World::wake_dataplane(int index, Time when) {
  if (when >= site(index).dataplane_turn) return;
  site(index).dataplane_turn = when;
  at(when, [this, index, when] {
    if (site(index).dataplane_turn == when) turn_dataplane(index);
  });
}

void World::wake_controller(int index, Time when) {
  if (when >= site(index).controller_turn) return;
  site(index).controller_turn = when;
  at(when, [this, index, when] {
    if (site(index).controller_turn == when) turn_controller(index);
  });
}

void World::turn_dataplane(int index) {
  Site& self = site(index);
  self.dataplane_turn = Time::max();
  if (!self.dataplane) return;
  DataplaneProcess& dataplane = *self.dataplane;
  const unsigned slow = draw_slow(index);
  const bool is_slow = slow != nobody;
  for (int round = 0; go_round(index, round == 0, slow); ++round)
    if (round == rounds_a_turn) throw Failure{"a turn ends", "a data plane finds work for ever"};
  if (setup_.mutation == Mutation::two_current) make_two_current(index);
  std::vector<Counters> counters;
  for (unsigned worker = 0; worker < dataplane.workers(); ++worker)
    counters.push_back(dataplane.counters(worker));
  if (setup_.mutation == Mutation::unbalances_a_book && counters[0][Counter::packed] > 20)
    ++counters[0].values[static_cast<std::size_t>(Counter::packed)];
  checker.turned(index, counters, dataplane.sessions(), !is_slow);
  // A deadline that has passed is met at the next turn; virtual time must not stand still.
  wake_dataplane(index, std::max(dataplane.deadline(), now_ + 1us));
  if (is_slow) wake_dataplane(index, now_ + 1us + chance_.time(0ms, longest_slow));
  if (std::exchange(self.has_spoken, false) && self.controller && self.controller->has_mail())
    wake_controller(index, now_ + chance_.time(0ms, 2ms));
}

// What a worker has to tell the others may be on its way for a while, because the main core or the
// other does not run. A worker whose clock is about to tick does.
unsigned World::draw_slow(int index) {
  const DataplaneProcess& dataplane = *site(index).dataplane;
  const unsigned workers = dataplane.workers();
  if (workers == 1 || !chance_.percent(20)) return nobody;
  const auto drawn = static_cast<unsigned>(chance_.below(2 * workers));
  if (drawn >= workers) return workers;
  return dataplane.deadline(drawn) > now_ + longest_slow ? drawn : nobody;
}

// Threads of one process: any of them may be the first.
bool World::go_round(int index, bool is_first, unsigned slow) {
  DataplaneProcess& dataplane = *site(index).dataplane;
  const unsigned workers = dataplane.workers();
  std::array<unsigned, most_workers + 1> order{};
  const auto parts = std::span{order}.first(workers + 1);  // the last is the main core
  std::iota(parts.begin(), parts.end(), 0u);
  if (workers > 1)
    for (std::size_t left = parts.size(); left > 1; --left)
      std::swap(parts[left - 1], parts[chance_.below(left)]);
  bool is_busy = false;
  for (const unsigned part : parts) {
    if (part == slow) continue;
    if (part < workers) {
      if (is_first || dataplane.has_work(part, now_)) is_busy |= turn_worker(index, part);
    } else {
      const bool has_caller = std::exchange(site(index).has_caller, false);
      site(index).has_spoken |= dataplane.turn_main_core(now_, has_caller);
      if (setup_.mutation == Mutation::loses_a_confirm)
        dataplane.lose_commands(workers - 1, dataplane::Command::Kind::confirm);
    }
  }
  return is_busy || dataplane.has_commands(slow) ||
         (workers > 1 && slow != workers && dataplane.has_news());
}

bool World::turn_worker(int index, unsigned worker) {
  const bool is_busy = site(index).dataplane->turn_worker(worker, now_);
  take_wire(index, worker);
  take_plain(index, worker);
  return is_busy;
}

void World::turn_controller(int index) {
  Site& self = site(index);
  self.controller_turn = Time::max();
  if (!self.controller) return;
  self.controller->turn(now_);
  self.has_caller = true;
  wake_controller(index, std::max(self.controller->deadline(), now_ + 1ms));
  wake_dataplane(index, now_);
}

// --- packets -------------------------------------------------------------------------------

void World::schedule_traffic(int index) {
  at(now_ + chance_.time(0ms, 2 * mean_gap_), [this, index] {
    traffic(index);
    schedule_traffic(index);
  });
}

void World::traffic(int index) {
  const std::uint64_t count = chance_.percent(3) ? 1 + chance_.below(60) : 1;
  Site& self = site(index);
  if (!self.dataplane) return;
  DataplaneProcess& dataplane = *self.dataplane;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto flow = static_cast<std::uint8_t>(chance_.below(flow_count));
    const unsigned worker = dataplane.worker_of_flow(flow);
    dataplane.plain(worker).incoming.push_back(
        {.bytes = checker.send(index, flow, worker, dataplane.current(worker))});
  }
  log.add(now_, Happening::packet_in, index, count, dataplane.current() != nullptr ? 1 : 0);
  turn_dataplane(index);
}

void World::take_wire(int index, unsigned worker) {
  mutate_wire(index, worker);
  DataplaneProcess& dataplane = *site(index).dataplane;
  const unsigned wrong = setup_.mutation == Mutation::sends_anothers_lane ? 1 : 0;
  for (FakePacket& packet : std::exchange(dataplane.wire(worker).sent, {}))
    leave(index, (worker + wrong) % dataplane.workers(), std::move(packet));
}

void World::leave(int index, unsigned worker, FakePacket packet) {
  const Bytes bytes{packet.bytes};
  log.add(now_, Happening::left, index,
          hash_of(bytes.last(std::min<std::size_t>(bytes.size(), 48))), bytes.size());
  checker.left(index, worker, bytes, site(index).dataplane->sessions(), now_);
  over_the_wire(index, std::move(packet));
}

void World::take_plain(int index, unsigned worker) {
  DataplaneProcess& dataplane = *site(index).dataplane;
  mutate_plain(index, worker);
  for (const FakePacket& packet : std::exchange(dataplane.plain(worker).sent, {})) {
    log.add(now_, Happening::packet_out, index, hash_of(Bytes{packet.bytes}.first(24)),
            packet.bytes.size());
    checker.delivered(index, packet.bytes);
  }
}

// --- the wire ------------------------------------------------------------------------------

void World::set_wire(const WireConditions& conditions) {
  wire_ = conditions;
  log.add(
      now_, Happening::wire, 2,
      fmt::format(
          "{} and {} % lost, {} % doubled, {} % changed, {} % repeated, {} % forged, {} to {} us",
          wire_.loss_percent[0], wire_.loss_percent[1], wire_.double_percent, wire_.flip_percent,
          wire_.replay_percent, wire_.forge_percent, wire_.shortest / 1us, wire_.longest / 1us));
}

void World::rebind() {
  for (Site& self : sites_) {
    if (self.nat.outside == 0) continue;
    self.nat.outside = any_port();
    log.add(now_, Happening::wire, self.profile.index, fmt::format("port {}", self.nat.outside));
  }
}

// By one on the path, who sees a packet and is faster with it.
void World::forge(int to, FakePacket packet) {
  set_port(packet.bytes, PortField::source, any_port());
  at(now_, [this, to, packet = std::move(packet)]() mutable { arrive(to, std::move(packet)); });
}

void World::over_the_wire(int from, FakePacket packet) {
  const int to = 1 - from;
  site(from).nat.leaves(packet.bytes);
  if (chance_.percent(wire_.forge_percent)) forge(to, packet);
  if (chance_.percent(wire_.loss_percent[static_cast<std::size_t>(from)]))
    return log.add(now_, Happening::lost, from);
  recorded_.emplace_back(to, packet);
  if (recorded_.size() > most_recorded) recorded_.pop_front();
  if (chance_.percent(wire_.replay_percent)) {
    const auto& [where, old] = recorded_[chance_.below(recorded_.size())];
    fly(where, old);
  }
  if (chance_.percent(wire_.double_percent)) fly(to, packet);
  // Not the headers: ARP is under no MAC, and a wrong address would only be a loss.
  constexpr std::size_t headers = ethernet_header + ipv6_header + udp_header;
  if (packet.bytes.size() > limits::min_frame_size && chance_.percent(wire_.flip_percent)) {
    std::byte& victim = packet.bytes[headers + chance_.below(packet.bytes.size() - headers)];
    victim ^= std::byte{1} << chance_.below(8);
  }
  fly(to, std::move(packet));
}

void World::fly(int to, FakePacket packet) {
  at(now_ + chance_.time(wire_.shortest, wire_.longest),
     [this, to, packet = std::move(packet)]() mutable { arrive(to, std::move(packet)); });
}

void World::arrive(int index, FakePacket packet) {
  if (!site(index).dataplane || !site(index).nat.arrives(packet.bytes)) return;
  log.add(now_, Happening::arrived, index, packet.bytes.size());
  DataplaneProcess& dataplane = *site(index).dataplane;
  unsigned worker = 0;
  if (dataplane.workers() > 1) {
    const auto owner = dataplane.owner_of(packet.bytes);
    worker = owner ? *owner : static_cast<unsigned>(chance_.below(dataplane.workers()));
  }
  dataplane.wire(worker).incoming.push_back(std::move(packet));
  turn_dataplane(index);
}

}  // namespace penstock::simulation
