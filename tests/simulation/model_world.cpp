#include "model_world.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/suite.hpp"
#include "penstock/crypto/key_schedule.hpp"
#include "tests/simulation/event_log.hpp"

namespace penstock::simulation {
namespace {

using namespace controlplane;
using namespace std::chrono_literals;

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

// Longer than a session may stay unconfirmed, and than a responder answers.
constexpr Time cut_length = limits::confirm_within + 2s;

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  return (hash ^ value) * 0x9e3779b97f4a7c15 + (hash >> 29);
}

std::uint64_t hash_of_message(const std::vector<std::byte>& datagram) { return hash_of(datagram); }
std::uint64_t hash_of_message(const ModelFrame& frame) {
  return hash_of(frame.control, mix(mix(frame.key, frame.number), frame.spi));
}

// The session that both begin with, as alpha has it: alpha started it.
ipc::InstallSession first_session() {
  ipc::InstallSession session;
  session.session_id.fill(std::byte{0x51});
  session.local_spi_base = Spi::make(3, 9000, 0).value;  // far from the slots to be taken first
  session.remote_spi_base = Spi::make(4, 9001, 0).value;
  session.role = ipc::Role::initiator;
  session.tag = 16;
  session.suite = Suite{KeyExchange::x25519, Protection::aes256_ctr_sha256}.code();
  session.frame_size = 1472;
  session.lanes_out = session.lanes_in = 1;
  session.max_age_ns = static_cast<std::uint64_t>(Time{limits::session_max_age}.count());
  session.dead_after_ns = static_cast<std::uint64_t>(Time{limits::dead_after}.count());
  session.out[0].encrypt.fill(std::byte{1});
  session.in[0].encrypt.fill(std::byte{2});
  return session;
}

ipc::InstallSession mirrored(ipc::InstallSession session) {
  std::swap(session.local_spi_base, session.remote_spi_base);
  std::swap(session.out, session.in);
  session.role = ipc::Role::responder;
  return session;
}

}  // namespace

std::string Choice::text() const {
  constexpr std::array names{"read",
                             "deliver",
                             "tick",
                             "rekey",
                             "lose",
                             "repeat",
                             "overtake",
                             "delay",
                             "cut",
                             "crash penstockd",
                             "crash data plane"};
  const std::string_view who = site == 0 ? "alpha" : "beta";
  const bool is_time = kind == Kind::tick || kind == Kind::delay;
  std::string name = names[static_cast<std::size_t>(kind)];
  if (is_time) return name;
  return place == 0 ? fmt::format("{} {}", name, who) : fmt::format("{} {} {}", name, who, place);
}

ModelWorld::ModelWorld(const ModelSetup& setup) : setup_(setup) {
  for (int i = 0; i < 2; ++i) {
    site(i).profile = make_profile(i, IpVersion::v4);
    site(i).profile.link.suites = {{KeyExchange::x25519, Protection::aes256_ctr_sha256}};
    start_dataplane(i);
  }
  if (setup.has_session) begin_with_session();
  for (int i = 0; i < 2; ++i) start_controller(i);
  check_currents();
}

void ModelWorld::begin_with_session() {
  install_first(1, mirrored(first_session()));
  install_first(0, first_session());
  while (!site(0).outbox.empty() || !site(1).outbox.empty())
    arrive(site(0).outbox.empty() ? 1 : 0, 0, false);
  for (Site& self : sites_) self.mail.clear();  // no controller was there yet
}

void ModelWorld::install_first(int index, const ipc::InstallSession& message) {
  ipc::InstallSession own = message;
  own.boot_id = site(index).dataplane->boot_id();
  own.peer = ipc::to_wire(site(index).profile.link.endpoint);
  static_cast<void>(site(index).dataplane->install(own, now_));
}

// --- processes ------------------------------------------------------------------------------

void ModelWorld::start_dataplane(int index) {
  Site& self = site(index);
  ipc::BootId boot_id{};
  store_be64(boot_id.data(), ++self.lives * 2 + static_cast<std::uint64_t>(index));
  self.dataplane = std::make_unique<ModelDataplane>(
      boot_id,
      ModelDataplane::Outputs{
          .send = [this, index](ModelFrame frame) { send(index, std::move(frame)); },
          .event = [&self](const ipc::Event& event) { self.mail.emplace_back(event); },
          .heard =
              [&self](const ipc::SessionId& id, std::vector<std::byte> message) {
                self.mail.emplace_back(Heard{.session = id, .message = std::move(message)});
              }});
}

void ModelWorld::start_controller(int index) {
  Site& self = site(index);
  self.link.reset();
  self.slots.reset();
  const std::uint64_t life = ++self.lives * 2 + static_cast<std::uint64_t>(index);
  self.entropy = std::make_unique<SeededEntropy>(setup_.seed * 1000003 + life);
  self.slots = std::make_unique<SlotAllocator>(*self.entropy);
  self.link = std::make_unique<LinkController>(
      LinkController::Setup{.site_name = self.profile.name,
                            .link_index = 0,
                            .config = self.profile.link,
                            .file_key = crypto::derive_file_key(as_bytes(self.profile.key))},
      *self.slots, *self.entropy, now_);
  connect(index);
}

void ModelWorld::connect(int index) {
  Site& self = site(index);
  self.link->on_dataplane_up(
      {.boot_id = self.dataplane->boot_id(), .max_frame_size = 1472, .lanes = 1},
      self.dataplane->living(now_), now_);
  settle(index);
}

void ModelWorld::send(int index, Message message) {
  Site& self = site(index);
  if (now_ >= self.cut_until) self.outbox.push_back(std::move(message));
}

// --- choices ----------------------------------------------------------------------------------

std::vector<Choice> ModelWorld::free_choices() const {
  using enum Choice::Kind;
  for (std::uint8_t i = 0; i < 2; ++i)
    if (!sites_[i].mail.empty()) return {{.kind = read, .site = i}};
  std::vector<Choice> choices;
  for (std::uint8_t i = 0; i < 2; ++i)
    if (!sites_[i].outbox.empty()) choices.push_back({.kind = deliver, .site = i});
  if (choices.empty()) choices.push_back({.kind = tick});
  return choices;
}

std::vector<Choice> ModelWorld::faults() const {
  using enum Choice::Kind;
  std::vector<Choice> choices;
  const bool is_reading = !sites_[0].mail.empty() || !sites_[1].mail.empty();
  for (std::uint8_t i = 0; i < 2; ++i) {
    const Site& self = sites_[i];
    // Between a data plane and its controller nothing is lost but by a crash.
    if (!is_reading || !self.mail.empty()) choices.push_back({.kind = crash_controller, .site = i});
    if (is_reading) continue;
    choices.push_back({.kind = crash_dataplane, .site = i});
    choices.push_back({.kind = cut, .site = i});
    if (self.outbox.empty()) continue;
    choices.push_back({.kind = lose, .site = i});
    choices.push_back({.kind = repeat, .site = i});
    for (std::size_t place = 1; place < self.outbox.size(); ++place)
      choices.push_back({.kind = overtake, .site = i, .place = static_cast<std::uint8_t>(place)});
  }
  if (!is_reading && !is_quiet()) choices.push_back({.kind = delay});
  return choices;
}

void ModelWorld::apply(const Choice& choice) {
  const int index = choice.site;
  Site& self = site(index);
  remember(index, static_cast<std::uint64_t>(choice.kind));
  switch (choice.kind) {
    case Choice::Kind::read:
      read(index);
      break;
    case Choice::Kind::deliver:
    case Choice::Kind::overtake:
      arrive(index, choice.place, false);
      break;
    case Choice::Kind::repeat:
      arrive(index, 0, true);
      break;
    case Choice::Kind::lose:
      self.outbox.pop_front();
      break;
    case Choice::Kind::tick:
    case Choice::Kind::delay:
      tick();
      break;
    case Choice::Kind::cut:
      self.outbox.clear();
      self.cut_until = now_ + cut_length;
      break;
    case Choice::Kind::rekey:
      self.link->rekey(now_);
      if (const auto due = self.link->deadline(); due && *due <= now_) self.link->on_timer(now_);
      settle(index);
      if (const auto current = self.dataplane->current();
          current && setup_.mutation == ModelMutation::forgets_a_session)
        self.dataplane->remove(*current, now_);
      break;
    case Choice::Kind::crash_controller:
      self.mail.clear();
      start_controller(index);
      break;
    case Choice::Kind::crash_dataplane:
      currents_[static_cast<std::size_t>(index)].reset();
      self.link->on_dataplane_down(now_);
      settle(index);
      start_dataplane(index);
      connect(index);
      break;
  }
  check_currents();
}

void ModelWorld::read(int index) {
  Site& self = site(index);
  const Mail mail = std::move(self.mail.front());
  self.mail.pop_front();
  std::visit(Overloaded{
                 [&](const InstallDone& done) {
                   self.link->on_install_reply(done.request, done.result, now_);
                 },
                 [&](const ipc::Event& event) { self.link->on_event(event, now_); },
                 [&](const Heard& heard) {
                   static_cast<void>(self.link->on_datagram(heard.session, heard.message, now_));
                 },
             },
             mail);
  settle(index);
}

void ModelWorld::arrive(int from, std::size_t place, bool is_kept) {
  Site& sender = site(from);
  const auto chosen = sender.outbox.begin() + static_cast<std::ptrdiff_t>(place);
  const Message message = is_kept ? *chosen : std::move(*chosen);
  if (!is_kept) sender.outbox.erase(chosen);
  const int to = 1 - from;
  Site& self = site(to);
  remember(to, std::visit([](const auto& one) { return hash_of_message(one); }, message));
  const bool is_frame = std::holds_alternative<ModelFrame>(message);
  if (is_frame && setup_.mutation == ModelMutation::is_deaf) return;
  if (const auto* frame = std::get_if<ModelFrame>(&message))
    return self.dataplane->receive(*frame, now_);
  const auto& datagram = std::get<std::vector<std::byte>>(message);
  if (!self.link->on_datagram(sender.profile.address, datagram, now_))
    self.link->on_unclaimed(sender.profile.address, datagram, now_);
  settle(to);
}

Time ModelWorld::next_deadline() const {
  Time next = Time::max();
  for (const Site& self : sites_) {
    next = std::min(next, self.dataplane->deadline());
    if (const auto due = self.link->deadline()) next = std::min(next, *due);
  }
  return next;
}

void ModelWorld::tick() {
  now_ = std::max(now_ + 1us, next_deadline());
  for (int i = 0; i < 2; ++i) {
    Site& self = site(i);
    remember(i, 77);
    self.dataplane->on_timer(now_);
    if (const auto due = self.link->deadline(); due && *due <= now_) self.link->on_timer(now_);
    settle(i);
  }
}

// --- what a controller wants --------------------------------------------------------------------

void ModelWorld::settle(int index) {
  for (Action& action : site(index).link->take_actions()) carry_out(index, std::move(action));
}

void ModelWorld::carry_out(int index, Action action) {
  Site& self = site(index);
  std::visit(Overloaded{
                 [&](SendDatagram& wanted) { send(index, std::move(wanted.bytes)); },
                 [&](SendInside& wanted) {
                   self.dataplane->send_inside(wanted.session_id, std::move(wanted.bytes), now_);
                 },
                 [&](Install& wanted) { install(index, wanted); },
                 [&](const Remove& wanted) { self.dataplane->remove(wanted.session_id, now_); },
                 [](const auto&) {},
             },
             action);
}

void ModelWorld::install(int index, Install& wanted) {
  Site& self = site(index);
  ipc::LaneKeys& keys = wanted.message->out[0];
  if (!self.first_keys) self.first_keys = keys;
  if (setup_.mutation == ModelMutation::repeats_a_key) keys = *self.first_keys;
  // The reply first: an event of the session comes after it.
  self.mail.emplace_back(InstallDone{.request = wanted.request, .result = {}});
  const std::size_t reply = self.mail.size() - 1;
  const ipc::InstallResult result = self.dataplane->install(*wanted.message, now_);
  std::get<InstallDone>(self.mail[reply]).result = result;
  if (setup_.mutation == ModelMutation::believes_at_once)
    self.dataplane->believe(wanted.message->session_id, now_);
  if (result == ipc::InstallResult::installed &&
      !self.sealed_with.insert(hash_of(keys.mac, hash_of(keys.encrypt))).second)
    throw Failure{"key installed twice",
                  self.profile.name + " seals anew with a key it had before"};
}

// --- what holds in every state ------------------------------------------------------------------

void ModelWorld::check_currents() {
  for (std::size_t i = 0; i < 2; ++i) {
    const Site& self = sites_[i];
    const auto current = self.dataplane->current();
    const auto before = std::exchange(currents_[i], current);
    if (!before || current == before) continue;
    if (!current)
      throw Failure{"a confirmed session stays",
                    self.profile.name + " has lost its current session"};
    if (!self.dataplane->was_heard(*current))
      throw Failure{"only a confirmed session displaces another",
                    self.profile.name + " sends on a session on which nothing arrived"};
  }
}

bool ModelWorld::is_quiet() const {
  return std::ranges::all_of(
      sites_, [](const Site& self) { return self.mail.empty() && self.outbox.empty(); });
}

bool ModelWorld::is_settled() const {
  const auto current = sites_[0].dataplane->current();
  return is_quiet() && current && std::ranges::all_of(sites_, [&](const Site& self) {
           return self.dataplane->current() == current && !self.dataplane->has_unconfirmed() &&
                  self.link->status().session_id == current;
         });
}

// Of all that ever reached each site, and when: a site does nothing else with it but what it did
// before. Messages on their way are named by their contents.
std::uint64_t ModelWorld::fingerprint() const {
  std::uint64_t hash = static_cast<std::uint64_t>(now_.count());
  for (const Site& self : sites_) {
    hash = mix(mix(hash, self.history), self.mail.size());
    hash = mix(hash, self.outbox.size());
    hash = mix(hash, static_cast<std::uint64_t>(self.cut_until.count()));
    for (const Message& message : self.outbox)
      hash = mix(hash, std::visit([](const auto& one) { return hash_of_message(one); }, message));
  }
  return hash;
}

std::string ModelWorld::text() const {
  std::string text = fmt::format("{:.3f} s", std::chrono::duration<double>(now_).count());
  for (const Site& self : sites_) {
    const auto current = self.dataplane->current();
    text += fmt::format("; {} on {}{}, {} on their way: {}", self.profile.name,
                        current ? to_hex(Bytes{*current}.first(4)) : "nothing",
                        self.dataplane->has_unconfirmed() ? " and one unconfirmed" : "",
                        self.outbox.size(), self.link->status().reason);
  }
  return text;
}

void ModelWorld::remember(int index, std::uint64_t what) {
  std::uint64_t& history = site(index).history;
  history = mix(mix(history, what), static_cast<std::uint64_t>(now_.count()));
}

}  // namespace penstock::simulation
