// The sessions of a link: taken over, installed, confirmed, removed.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "controlplane/session/install_message.hpp"
#include "controlplane/session/link_state.hpp"

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
    case ipc::InstallResult::zeroized:
      return "all keys were wiped by the operator's command; restart penstockd to go on";
    case ipc::InstallResult::no_memory:
      return "it has no memory left; give it more or remove links";
  }
  return "no reason given";
}

std::string_view describe(ipc::Role role) {
  return role == ipc::Role::initiator ? "initiator" : "responder";
}

std::string_view name_of(const ipc::SessionInfo& info) {
  return {info.peer_name.begin(), std::ranges::find(info.peer_name, '\0')};
}

std::string describe_suite(const Session& session) {
  return fmt::format("{}, tag {}", session.suite ? to_string(*session.suite) : "an unknown suite",
                     session.tag);
}

}  // namespace

void LinkController::State::adopt(const std::vector<ipc::SessionInfo>& living, Time now) {
  // Nobody knows what they were made under. A link where that may matter finds out at once.
  bool is_rekey_due = config_.peer_identity || config_.old_key_file;
  for (const ipc::SessionInfo& info : living) {
    if (!may_carry_on(info)) continue;
    if (info.state == ipc::SessionState::unconfirmed) {
      actions_.push_back(Remove{info.session_id});
      is_rekey_due = true;
      continue;
    }
    const auto* const presumed = keys_.has_old() ? keys_.old() : keys_.newest();
    const Time born = now - Time{static_cast<Time::rep>(info.age_ns)};
    sessions_.add({.id = info.session_id,
                   .role = info.role,
                   .suite = suite_from_code(info.suite),
                   .tag = info.tag,
                   .frame_size = info.frame_size,
                   .offered = info.frame_size,
                   .state = info.state,
                   .slot = slots_->adopt(Spi{info.local_spi_base}),
                   .peer = ipc::from_wire(info.peer),
                   .installed_at = born,
                   .rekey_at = born + rekey_delay(info.role, config_.rekey_after, *entropy_),
                   .confirmed_at = born,
                   .silent_since = silent_since(info, now),
                   .key = presumed == nullptr ? std::nullopt : std::optional{presumed->fingerprint},
                   .identities = identities(),
                   .mode = info.shaping});
    if (info.state == ipc::SessionState::current)
      lanes_ = {.count = info.lanes_in, .silent = info.silent_lanes};
    if (config_.finds_mtu) path_frame_.adopt(info.frame_size);
    is_rekey_due |= info.shaping != config_.shape.mode;
  }
  judge_sessions(now);
  if (is_rekey_due) rekey_now(HandshakeCause::reload, now);
}

std::optional<Time> LinkController::State::silent_since(const ipc::SessionInfo& info,
                                                        Time now) const {
  if (info.is_silent == 0) return std::nullopt;
  return now - std::max(Time{static_cast<Time::rep>(info.idle_ns)} - config_.dead_after, Time{});
}

bool LinkController::State::may_carry_on(const ipc::SessionInfo& info) {
  if (!name_of(info).empty() && name_of(info) != config_.peer) return false;
  const auto suite = suite_from_code(info.suite);
  // Made under another config: a NULL session is nothing to carry on with by accident.
  if (!suite || suite->protection != Protection::none || lists(*suite)) return true;
  actions_.push_back(Remove{info.session_id});
  view_.warn(fmt::format("removed a living session of suite {}, which the config no longer lists",
                         to_string(*suite)));
  return false;
}

void LinkController::State::announce_adopted() {
  if (const Session* current = sessions_.current()) {
    since_ = current->silent_since.value_or(current->confirmed_at);
    if (current->is_silent()) return view_.went_down(silence());
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

void LinkController::State::install(const Agreement& agreement, Session session,
                                    std::optional<Pending::Reply> reply, Time now) {
  session.id = agreement.session_id;
  session.role = agreement.role;
  session.suite = session.story->suite = agreement.suite;
  session.tag = agreement.shape.tag;
  session.frame_size = agreement.shape.size;
  session.offered = agreement.own.frame_size;
  session.identities = identities();
  session.mode = config_.shape.mode;
  session.installed_at = now;
  session.rekey_at = now + rekey_delay(agreement.role, config_.rekey_after, *entropy_);
  const InstallTarget target{.boot_id = facts_->boot_id, .link = link_index_, .peer = session.peer};
  actions_.push_back(
      Install{.request = next_request_, .message = make_install(agreement, target, config_)});
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
    failed(*pending.session.story, HandshakeFailure::install_refused,
           fmt::format("the data plane refused the session: {}", describe(result)), now);
    return;
  }
  sessions_.add(std::move(pending.session));
  if (!pending.reply) return;
  RingKey* const key = keys_.find(pending.reply->key);
  if (key == nullptr) return;
  schedule_.answered(now);
  key->responder.answered(pending.reply->nonce_initiator, pending.reply->message_4);
  send(pending.reply->to, pending.reply->message_4);
}

void LinkController::State::confirmed(const ipc::SessionId& id, Time now) {
  // The event may come before the reply.
  const auto early = std::ranges::find_if(
      pending_, [&](const Pending& pending) { return pending.session.id == id; });
  if (early != pending_.end()) install_reply(early->request, ipc::InstallResult::installed, now);

  const bool was_up = is_up();
  const std::string suite_before = was_up ? describe_suite(*sessions_.current()) : std::string{};
  const Session* session = sessions_.confirm(id, now);
  if (session == nullptr) return;
  if (session->story) book_.complete(*session->story, now);
  rekey_cause_ = HandshakeCause::age;
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
  if (const auto key = session->key) proved(*key, now);
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
    if (!session->is_silent()) since_ = now;
    lanes_ = {};
    view_.went_down(describe(why));
  } else if (why == ipc::RemovalReason::unconfirmed) {
    ++unanswered_;
    doubt_path(*session, now);
    failed(session->story.value_or(HandshakeStory{.started = now}), HandshakeFailure::unconfirmed,
           std::string{describe(why)}, now);
    if (session->role == ipc::Role::initiator) may_have_been_heard(now);
  }
}

// The far side confirms a session with the first frame from us, and sends on it from then on: what
// we gave up for want of an answer may be what it has left us for.
void LinkController::State::may_have_been_heard(Time now) {
  Session* current = sessions_.current();
  if (current == nullptr || current->rekey_at <= now) return;
  current->rekey_at = now;
  rekey_cause_ = HandshakeCause::silence;
}

void LinkController::State::rekey_wanted(const ipc::SessionId& id, Time now) {
  Session* current = sessions_.current();
  if (current == nullptr || current->id != id || current->rekey_at <= now) return;
  current->rekey_at = now;
  rekey_cause_ = HandshakeCause::limit;
}

}  // namespace penstock::controlplane
