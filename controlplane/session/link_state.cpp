// Sessions, the data plane, the clock and the operator. What the far side's messages do is in
// link_messages.cpp.
#include "controlplane/session/link_state.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/check.hpp"

#include "controlplane/session/install_message.hpp"

namespace penstock::controlplane {
namespace {

std::string_view describe(ipc::RemovalReason why) {
  switch (why) {
    case ipc::RemovalReason::by_controller:
      return "the session was removed by command";
    case ipc::RemovalReason::unconfirmed:
      return "the handshake was completed, but no frame came through";
    case ipc::RemovalReason::replaced:
      return "the session was replaced";
    case ipc::RemovalReason::max_age:
      return "the session reached its maximum age";
    case ipc::RemovalReason::zeroized:
      return "its keys were wiped by the operator's command";
  }
  return "the session was removed";
}

std::string_view describe(ipc::InstallResult result) {
  switch (result) {
    case ipc::InstallResult::installed:
      return "installed";
    case ipc::InstallResult::wrong_boot:
      return "it was restarted meanwhile";
    case ipc::InstallResult::seen_before:
      return "it had this session before";
    case ipc::InstallResult::slot_taken:
      return "its session slot is taken";
    case ipc::InstallResult::bad_parameters:
      return "a parameter is out of its range";
    case ipc::InstallResult::no_memory:
      return "it has no memory left; give it more or remove links";
  }
  return "no reason given";
}

std::string_view describe(ipc::Role role) {
  return role == ipc::Role::initiator ? "initiator" : "responder";
}

std::string describe_suite(const Session& session) {
  return fmt::format("{}, tag {}", session.suite ? to_string(*session.suite) : "an unknown suite",
                     session.tag);
}

std::optional<Identity> identity_of(const LinkConfig& config,
                                    std::shared_ptr<const crypto::IdentityKey> own) {
  if (!config.peer_identity) return std::nullopt;
  check(own != nullptr, "a link with a peer_identity has an own one");
  return Identity{.own = std::move(own), .peer = *config.peer_identity};
}

constexpr std::string_view no_dataplane = "the data plane is not running";

}  // namespace

LinkController::State::State(Setup setup, SlotAllocator& slots, Entropy& entropy, Time now)
    : config_(std::move(setup.config)),
      link_index_(setup.link_index),
      slots_(&slots),
      entropy_(&entropy),
      starting_(derive_link_keys(setup.file_key, setup.site_name, config_.peer)),
      answering_(derive_link_keys(setup.file_key, config_.peer, setup.site_name)),
      identity_(identity_of(config_, std::move(setup.identity))),
      responder_(answering_, config_.suites, entropy, identity()),
      since_(now),
      view_(std::move(setup.site_name), config_, actions_) {
  view_.waiting(no_dataplane);
  for (const Suite suite : config_.suites) {
    if (suite.protection == Protection::none) view_.may_be_unprotected(suite);
  }
}

// --- the data plane ---------------------------------------------------------------------

void LinkController::State::dataplane_up(const DataplaneFacts& new_facts,
                                         const std::vector<ipc::SessionInfo>& living, Time now) {
  attempt_.reset();
  pending_.clear();
  sessions_.clear();
  schedule_.reset();
  facts_ = new_facts;
  for (const ipc::SessionInfo& info : living) {
    const auto suite = suite_from_code(info.suite);
    // Made under another config: a NULL session is nothing to carry on with by accident.
    if (suite && suite->protection == Protection::none && !lists(*suite)) {
      actions_.push_back(Remove{info.session_id});
      view_.warn(
          fmt::format("removed a living session of suite {}, which the config no longer lists",
                      to_string(*suite)));
      continue;
    }
    const Time born = now - Time{static_cast<Time::rep>(info.age_ns)};
    sessions_.add({.id = info.session_id,
                   .role = info.role,
                   .suite = suite,
                   .tag = info.tag,
                   .state = info.state,
                   .slot = slots_->adopt(Spi{info.local_spi_base}),
                   .peer = ipc::from_wire(info.peer),
                   .rekey_at = born + rekey_delay(info.role, config_.rekey_after, *entropy_),
                   .confirmed_at = born});
  }
  if (config_.frame_size > facts_->max_frame_size) {
    view_.warn(fmt::format("frame_size {} does not fit the wire's MTU; using {}",
                           *config_.frame_size, facts_->max_frame_size));
  }
  view_.waiting("connecting to " + to_string(config_.endpoint));
  if (const Session* current = sessions_.current()) {
    since_ = current->confirmed_at;
    view_.went_up(fmt::format("up: took over a living session, {}, as {}", describe_suite(*current),
                              describe(current->role)));
    warn_unless_protected(*current);
  }
}

bool LinkController::State::lists(Suite suite) const {
  return std::ranges::find(config_.suites, suite) != config_.suites.end();
}

bool LinkController::State::lists_null() const {
  return std::ranges::any_of(config_.suites,
                             [](Suite suite) { return suite.protection == Protection::none; });
}

void LinkController::State::dataplane_down(Time now) {
  const bool was_up = sessions_.current() != nullptr;
  attempt_.reset();
  pending_.clear();
  sessions_.clear();
  facts_.reset();
  failed_in_a_row_ = 0;
  unanswered_ = 0;
  if (was_up) {
    since_ = now;
    view_.went_down(no_dataplane);
  } else {
    view_.waiting(no_dataplane);
  }
}

void LinkController::State::install(const Agreement& agreement, const Endpoint& peer,
                                    SlotLease slot, std::optional<Pending::Reply> reply, Time now) {
  Session session{.id = agreement.session_id,
                  .role = agreement.role,
                  .suite = agreement.suite,
                  .tag = agreement.shape.tag,
                  .slot = std::move(slot),
                  .peer = peer,
                  .rekey_at = now + rekey_delay(agreement.role, config_.rekey_after, *entropy_)};
  const InstallTarget target{
      .boot_id = facts_->boot_id, .link = link_index_, .peer = peer, .max_age = config_.max_age};
  actions_.push_back(Install{.request = next_request_, .message = make_install(agreement, target)});
  pending_.push_back(
      {.request = next_request_++, .session = std::move(session), .reply = std::move(reply)});
}

void LinkController::State::install_reply(std::uint32_t request, ipc::InstallResult result,
                                          Time now) {
  const auto found = std::ranges::find(pending_, request, &Pending::request);
  if (found == pending_.end()) return;  // from before the data plane came back
  Pending pending = std::move(*found);
  pending_.erase(found);
  if (result != ipc::InstallResult::installed) {
    failed(fmt::format("the data plane refused the session: {}", describe(result)), now);
    return;
  }
  sessions_.add(std::move(pending.session));
  if (pending.reply) {
    schedule_.answered(now);
    responder_.answered(pending.reply->nonce_initiator, pending.reply->message_4);
    send(pending.reply->to, pending.reply->message_4);
  }
}

void LinkController::State::confirmed(const ipc::SessionId& id, Time now) {
  // One worker heard a frame before the last one acknowledged the install.
  const auto early = std::ranges::find_if(
      pending_, [&](const Pending& pending) { return pending.session.id == id; });
  if (early != pending_.end()) install_reply(early->request, ipc::InstallResult::installed, now);

  const Session* before = sessions_.current();
  const bool was_up = before != nullptr;
  const std::string suite_before = was_up ? describe_suite(*before) : std::string{};
  const Session* session = sessions_.confirm(id, now);
  if (session == nullptr) return;
  ++completed_;
  schedule_.succeeded();
  const bool had_failed = std::exchange(failed_in_a_row_, 0) > 0;
  unanswered_ = 0;
  const std::string suite = describe_suite(*session);
  if (was_up) {
    view_.stays_up(had_failed);
    if (suite != suite_before) view_.suite_changed(suite, suite_before);
  } else {
    since_ = now;
    view_.went_up(fmt::format("up: session {}, {}, as {}", to_hex(Bytes{id}.first(4)), suite,
                              describe(session->role)));
  }
  warn_unless_protected(*session);
}

void LinkController::State::warn_unless_protected(const Session& session) {
  if (session.suite && session.suite->protection == Protection::none) {
    view_.unprotected(*session.suite);
  }
}

void LinkController::State::removed(const ipc::SessionId& id, ipc::RemovalReason why, Time now) {
  const std::optional<Session> session = sessions_.remove(id);
  if (!session) return;
  if (attempt_ && attempt_->route == Route{id}) attempt_.reset();  // another goes another way
  if (session->state == ipc::SessionState::current) {
    since_ = now;
    view_.went_down(describe(why));
  } else if (why == ipc::RemovalReason::unconfirmed) {
    ++unanswered_;
    failed(std::string{describe(why)}, now);
  }
}

void LinkController::State::rekey_wanted(const ipc::SessionId& id, Time now) {
  Session* current = sessions_.current();
  if (current != nullptr && current->id == id) current->rekey_at = std::min(current->rekey_at, now);
}

// --- the clock and the operator ---------------------------------------------------------

void LinkController::State::timer(Time now) {
  if (attempt_) {
    Initiator& initiator = attempt_->initiator;
    if (initiator.on_timer(now)) send(attempt_->route, initiator.outgoing());
    if (initiator.state() == Initiator::State::expired) attempt_over(now);
  }
  const auto due = attempt_due();
  if (due && now >= *due) start_attempt(now);
}

void LinkController::State::rekey(Time now) {
  schedule_.reset();
  if (Session* current = sessions_.current()) current->rekey_at = now;
}

void LinkController::State::resolved(const std::optional<IpAddress>& address, Time) {
  if (address) config_.endpoint.address = *address;
}

std::optional<Time> LinkController::State::deadline() const {
  if (attempt_) return attempt_->initiator.deadline();
  return attempt_due();
}

std::optional<Time> LinkController::State::attempt_due() const {
  const bool is_busy = attempt_ || !pending_.empty() || sessions_.has_unconfirmed();
  if (!facts_ || is_busy) return std::nullopt;
  const Session* current = sessions_.current();
  return schedule_.next(current != nullptr ? current->rekey_at : Time{});
}

void LinkController::State::start_attempt(Time now) {
  std::optional<SlotLease> slot = slots_->take();
  if (!slot) return failed("every session slot of the data plane is taken; remove links", now);
  const Parameters own = own_parameters(slot->base());
  attempt_.emplace(
      Attempt{.initiator = {starting_, config_.suites, own, *entropy_, now, identity()},
              .slot = std::move(*slot),
              .route = next_route()});
  send(attempt_->route, attempt_->initiator.outgoing());
}

void LinkController::State::failed(std::string why, Time now) {
  count_failure(now);
  view_.failed(std::move(why), now);
}

void LinkController::State::count_failure(Time now) {
  ++failed_;
  ++failed_in_a_row_;
  schedule_.attempt_failed(*entropy_, now);
}

Parameters LinkController::State::own_parameters(Spi spi_base) const {
  const std::uint16_t largest = facts_->max_frame_size;
  return {.flags = facts_->takes_offload ? Parameters::takes_offload_flag : std::uint8_t{0},
          .tag = config_.tag,
          .min_tag = config_.min_tag,
          .spi_base = spi_base,
          .frame_size = std::min(config_.frame_size.value_or(largest), largest),
          .lanes = facts_->lanes};
}

Route LinkController::State::next_route() const {
  const Session* current = sessions_.current();
  const bool is_turn_of_clear =
      unanswered_ >= limits::attempts_inside && (unanswered_ - limits::attempts_inside) % 2 == 0;
  if (current == nullptr || is_turn_of_clear || !leads_where_configured(*current))
    return config_.endpoint;
  return current->id;
}

Endpoint LinkController::State::peer_on(const Route& route) const {
  if (const auto* const endpoint = std::get_if<Endpoint>(&route)) return *endpoint;
  return sessions_.find(std::get<ipc::SessionId>(route))->peer;
}

void LinkController::State::send(const Route& to, const Message& message) {
  const std::vector<std::byte> bytes{message.begin(), message.end()};
  if (const auto* const endpoint = std::get_if<Endpoint>(&to))
    actions_.push_back(SendDatagram{.to = *endpoint, .bytes = bytes});
  else
    actions_.push_back(SendInside{.session_id = std::get<ipc::SessionId>(to), .bytes = bytes});
}

LinkStatus LinkController::State::status() const {
  LinkStatus status{.reason = view_.reason(),
                    .peer = config_.peer,
                    .endpoint = config_.endpoint,
                    .lists_null = lists_null(),
                    .session_id = std::nullopt,
                    .role = std::nullopt,
                    .since = since_,
                    .handshakes_completed = completed_,
                    .handshakes_failed = failed_,
                    .messages_refused = refused_};
  if (const Session* current = sessions_.current()) {
    status.state = LinkStatus::State::up;
    status.reason = view_.rekey_trouble(failed_in_a_row_);
    status.session_id = current->id;
    status.role = current->role;
    status.established = current->confirmed_at;
  } else if (attempt_ || !pending_.empty() || sessions_.has_unconfirmed()) {
    status.state = LinkStatus::State::connecting;
  }
  return status;
}

}  // namespace penstock::controlplane
