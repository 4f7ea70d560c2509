#include "tests/unit/controlplane/session/simulation.hpp"

#include <utility>

namespace penstock::controlplane {
namespace {

constexpr Time tick_length = 10ms;

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

}  // namespace

Simulation::Simulation(std::uint64_t seed, SiteSetup alpha, SiteSetup beta) : chance_(seed) {
  sites_[0] = {.name = "alpha", .peer = "beta", .setup = std::move(alpha)};
  sites_[1] = {.name = "beta", .peer = "alpha", .setup = std::move(beta)};
  sites_[0].address = sites_[1].peer_address = {.address = *parse_ip("192.0.2.1"), .port = 7670};
  sites_[1].address = sites_[0].peer_address = {.address = *parse_ip("198.51.100.7"), .port = 7670};
  for (unsigned i = 0; i < 2; ++i)
    sites_[i].entropy = std::make_unique<SeededEntropy>(seed * 2 + i + 1000);
  later(tick_length, [this] { tick(); });
}

void Simulation::start_both() {
  for (int i = 0; i < 2; ++i) {
    start_dataplane(i);
    start_controller(i);
  }
}

void Simulation::start_dataplane(int index) {
  Site& self = site(index);
  ipc::BootId boot_id{};
  self.entropy->fill(boot_id);
  self.dataplane = std::make_unique<VirtualDataplane>(
      boot_id,
      VirtualDataplane::Outputs{
          .send =
              [this, index](const VirtualFrame& frame) {
                over_the_wire([this, to = 1 - index, frame] { frame_arrives(to, frame); });
              },
          .event =
              [this, index](const ipc::Event& event) {
                later(0ms, [this, index, event, life = site(index).life] {
                  Site& hearer = site(index);
                  if (!hearer.controller || hearer.life != life) return;
                  hearer.controller->on_event(event, now);
                  settle(index);
                });
              },
          .punt_inside =
              [this, index](const ipc::SessionId& id, const std::vector<std::byte>& message) {
                later(0ms, [this, index, id, message, life = site(index).life] {
                  Site& hearer = site(index);
                  if (!hearer.controller || hearer.life != life) return;
                  static_cast<void>(hearer.controller->on_datagram(id, message, now));
                  settle(index);
                });
              }});
  ++self.boots;
  if (self.controller) connect(index);
}

void Simulation::stop_dataplane(int index) {
  Site& self = site(index);
  if (!self.dataplane) return;
  self.past.wrong_key += self.dataplane->counters().wrong_key;
  self.past.refused += self.dataplane->counters().refused;
  self.dataplane.reset();
  ++self.life;
  if (!self.controller) return;
  self.controller->on_dataplane_down(now);
  settle(index);
}

void Simulation::start_controller(int index) {
  Site& self = site(index);
  LinkConfig config{.peer = self.peer, .endpoint = self.peer_address};
  config.suites = self.setup.suites;
  config.tag = self.setup.tag;
  config.min_tag = self.setup.min_tag;
  config.rekey_after = self.setup.rekey_after;
  config.shape = self.setup.shape;
  self.slots = std::make_unique<SlotAllocator>(*self.entropy);
  self.controller = std::make_unique<LinkController>(
      LinkController::Setup{.site_name = self.name,
                            .config = config,
                            .file_key = crypto::derive_file_key(as_bytes(self.setup.key))},
      *self.slots, *self.entropy, now);
  if (self.dataplane) connect(index);
}

void Simulation::stop_controller(int index) {
  site(index).controller.reset();
  ++site(index).life;
}

void Simulation::connect(int index) {
  Site& self = site(index);
  self.controller->on_dataplane_up({.boot_id = self.dataplane->boot_id(),
                                    .max_frame_size = 1472,
                                    .lanes = 2,
                                    .takes_offload = true},
                                   self.dataplane->living(now), now);
  settle(index);
}

void Simulation::run_for(Time duration) {
  const Time end = now + duration;
  while (!steps_.empty() && steps_.top().at <= end) {
    Step step = steps_.top();
    steps_.pop();
    now = step.at;
    step.run();
  }
  now = end;
}

bool Simulation::run_until_converged(Time at_most) {
  for (const Time end = now + at_most; now < end; run_for(tick_length))
    if (is_converged()) return true;
  return is_converged();
}

bool Simulation::is_converged() {
  for (const Site& self : sites_) {
    if (!self.dataplane || !self.controller || !self.dataplane->current()) return false;
    if (self.controller->status().session_id != self.dataplane->current()) return false;
  }
  return sites_[0].dataplane->current() == sites_[1].dataplane->current() &&
         sites_[0].controller->status().role != sites_[1].controller->status().role;
}

void Simulation::rekey(int index) {
  site(index).controller->rekey(now);
  settle(index);
}

void Simulation::inject(int index, std::vector<std::byte> bytes) {
  later(0ms, [this, index, bytes = std::move(bytes)] {
    datagram_arrives(1 - index, site(index).address, bytes);
  });
}

void Simulation::tick() {
  for (int i = 0; i < 2; ++i) {
    if (site(i).dataplane) {
      site(i).dataplane->on_timer(now);
      if (has_traffic) site(i).dataplane->traffic(now);
    }
    settle(i);
  }
  later(tick_length, [this] { tick(); });
}

void Simulation::settle(int index) {
  Site& self = site(index);
  if (!self.controller) return;
  // The clock moves by ticks here: what is due is done now.
  if (const auto due = self.controller->deadline(); due && *due <= now)
    self.controller->on_timer(now);
  for (Action& action : self.controller->take_actions()) carry_out(index, std::move(action));
}

void Simulation::carry_out(int index, Action action) {
  Site& self = site(index);
  const auto send = [&](SendDatagram& wanted) {
    if (!self.dataplane) return;
    ++self.datagrams_sent;
    if (wanted.to != self.peer_address) return;
    over_the_wire([this, index, bytes = wanted.bytes] {
      datagram_arrives(1 - index, site(index).address, bytes);
    });
  };
  const auto install = [&](Install& wanted) {
    if (!self.dataplane) return;
    self.installed_towards = ipc::from_wire(wanted.message->peer);
    const ipc::InstallResult result = self.dataplane->install(*wanted.message, now);
    later(Time{static_cast<Time::rep>(chance_.below(3'000'000))},
          [this, index, result, request = wanted.request, life = self.life] {
            Site& hearer = site(index);
            if (!hearer.controller || hearer.life != life) return;
            hearer.controller->on_install_reply(request, result, now);
            settle(index);
          });
  };
  std::visit(Overloaded{send, install,
                        [&](SendInside& wanted) {
                          ++self.messages_inside;
                          if (self.dataplane)
                            self.dataplane->send_inside(wanted.session_id, wanted.bytes, now);
                        },
                        [&](const Remove& wanted) {
                          if (self.dataplane) self.dataplane->remove(wanted.session_id);
                        },
                        [](const auto&) {},  // of a shell's world
                        [&](const Notice& notice) {
                          self.notices.push_back(notice.text);
                          if (notice.kind == Notice::Kind::error)
                            self.errors.push_back(notice.text);
                        }},
             action);
}

void Simulation::later(Time delay, std::function<void()> run) {
  steps_.push({.at = now + delay, .order = order_++, .run = std::move(run)});
}

void Simulation::over_the_wire(std::function<void()> arrive) {
  if (chance_.below(100) < wire.loss_percent) return;
  const auto spread = static_cast<std::uint64_t>((wire.longest - wire.shortest).count()) + 1;
  const unsigned copies = chance_.below(100) < wire.double_percent ? 2 : 1;
  for (unsigned copy = 0; copy < copies; ++copy)
    later(wire.shortest + Time{static_cast<Time::rep>(chance_.below(spread))}, arrive);
}

void Simulation::frame_arrives(int index, const VirtualFrame& frame) {
  if (frames_pass && site(index).dataplane) site(index).dataplane->receive(frame, now);
}

void Simulation::datagram_arrives(int index, const Endpoint& from,
                                  const std::vector<std::byte>& bytes) {
  Site& self = site(index);
  if (!self.dataplane || !self.controller) return;
  const bool is_message_4 = load_u8(bytes.data()) == static_cast<unsigned>(PacketType::handshake_4);
  const Endpoint source = is_message_4 ? source_of_message_4.value_or(from) : from;
  if (!self.controller->on_datagram(source, bytes, now)) {
    self.controller->on_unclaimed(source, bytes, now);
  }
  settle(index);
}

}  // namespace penstock::controlplane
