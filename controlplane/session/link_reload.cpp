// What the operator changes while a link lives: its config and keys, or that there are any.
#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/check.hpp"

#include "controlplane/session/link_state.hpp"

namespace penstock::controlplane {
namespace {

std::optional<Identity> identity_of(const LinkConfig& config,
                                    std::shared_ptr<const crypto::IdentityKey> own) {
  if (!config.peer_identity) return std::nullopt;
  check(own != nullptr, "a link with a peer_identity has an own one");
  return Identity{.own = std::move(own), .peer = *config.peer_identity};
}

bool is_same(const std::optional<Identity>& a, const std::optional<Identity>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->peer == b->peer && a->own->public_key() == b->own->public_key();
}

}  // namespace

void LinkController::State::load_keys(Setup& setup) {
  identity_ = identity_of(config_, std::move(setup.identity));
  is_turn_of_old_ = false;
  keys_.load(setup.file_key, setup.old_file_key,
             {.site = site_name_,
              .peer = config_.peer,
              .suites = &config_.suites,
              .identity = identity(),
              .entropy = entropy_});
}

LinkController::State::Changes LinkController::State::changes(const Setup& setup) const {
  using enum Effect;
  const LinkConfig& a = config_;
  const LinkConfig& b = setup.config;
  const bool is_old_file_gone = a.old_key_file != b.old_key_file;
  const std::array<std::tuple<std::string_view, Effect, bool>, 21> keys{{
      {"endpoint", address, a.endpoint != b.endpoint || a.endpoint_name != b.endpoint_name},
      {"key_file", other_keys, !keys_.holds(setup.file_key, setup.old_file_key)},
      {"old_key_file", none, is_old_file_gone},
      {"identity", handshake, !is_same(identity_, identity_of(b, setup.identity))},
      {"suites", handshake, a.suites != b.suites},
      {"frame_size", session, a.frame_size != b.frame_size},
      {"mtu", session, a.mtu != b.mtu || a.finds_mtu != b.finds_mtu},
      {"shape", session, a.shape != b.shape},
      {"priority", session, a.priority != b.priority},
      {"dscp", session, a.dscp != b.dscp || a.copies_dscp != b.copies_dscp},
      {"ecn", session, a.ecn != b.ecn},
      {"tag", session, a.tag != b.tag},
      {"min_tag", session, a.min_tag != b.min_tag},
      {"hold", session, a.hold != b.hold},
      {"max_age", session, a.max_age != b.max_age},
      {"rekey_bytes", session, a.rekey_bytes != b.rekey_bytes},
      {"dead_after", session, a.dead_after != b.dead_after},
      {"roam", session, a.roam != b.roam},
      {"nat", session, a.nat != b.nat},
      {"vlan", session, a.vlan != b.vlan},
      {"rekey_after", age, a.rekey_after != b.rekey_after},
  }};
  Changes changes;
  for (const auto& [name, effect, is_other] : keys) {
    if (!is_other) continue;
    changes.names += fmt::format("{}{}", changes.names.empty() ? "" : ", ", name);
    changes.effects.at(static_cast<std::size_t>(effect)) = true;
  }
  return changes;
}

bool LinkController::State::reconfigure(Setup setup, Time now) {
  check(setup.config.peer == config_.peer, "a link is known by its peer's name");
  link_index_ = setup.link_index;
  keep_retired(setup);
  const Changes changed = changes(setup);
  if (changed.names.empty()) return false;
  view_.changed(changed.names);
  if (changed.has(Effect::address)) {
    address_ = PeerAddress{setup.config};
    view_.rename(setup.config.peer, address_.describe());
  }
  const bool makes_another = changed.has(Effect::address) || changed.has(Effect::session) ||
                             changed.has(Effect::handshake) || changed.has(Effect::other_keys);
  if (makes_another) attempt_.reset();  // it points at the keys, and offers what the config said
  const bool allowed_null = lists_null();
  config_ = std::move(setup.config);
  if (config_.shape.mode == ShapeMode::burst) lost_ppm_.reset();  // it has no breaker
  if (facts_ && changed.has(Effect::session)) warn_of_size();
  if (const Session* current = sessions_.current(); current != nullptr && config_.finds_mtu)
    path_frame_.adopt(current->frame_size);
  if (changed.has(Effect::other_keys) || changed.has(Effect::handshake)) load_keys(setup);
  if (!std::exchange(zeroized_, {}).empty()) view_.waiting(facts_ ? waiting() : no_dataplane);
  // One frame makes such a session current, whoever holds it. What is merely of other parameters
  // stays, for the far side may send on it already, and is replaced at once.
  drop_unconfirmed([&](const Session& session) {
    return judge(session, now).has_value() || is_unlisted_null(session);
  });
  if (!allowed_null) warn_of_null();
  end_unlisted_null(now);
  judge_sessions(now);
  if (changed.has(Effect::age)) age_anew();
  if (makes_another) {
    for (const ipc::SessionId& id : sessions_.ids()) sessions_.find(id)->rekey_at = now;
    for (Pending& pending : pending_) pending.session.rekey_at = now;
    rekey_now(changed.has(Effect::other_keys) ? HandshakeCause::new_key : HandshakeCause::reload,
              now);
  }
  return true;
}

bool LinkController::State::is_unlisted_null(const Session& session) const {
  return session.suite && session.suite->protection == Protection::none && !lists(*session.suite);
}

// What nothing protects is nothing to carry on with by accident.
void LinkController::State::end_unlisted_null(Time now) {
  for (const ipc::SessionId& id : sessions_.ids()) {
    if (!is_unlisted_null(*sessions_.find(id))) continue;
    actions_.push_back(Remove{id});
    removed(id, ipc::RemovalReason::by_controller, now);
  }
}

void LinkController::State::age_anew() {
  if (Session* current = sessions_.current())
    current->rekey_at =
        current->installed_at + rekey_delay(current->role, config_.rekey_after, *entropy_);
}

// --- and that there are none any more ---------------------------------------------------

void LinkController::State::retire(Time) {
  remove_all();
  if (facts_) actions_.push_back(ExpectPeer{});
  facts_.reset();
  keys_.clear();
}

void LinkController::State::remove_all() {
  attempt_.reset();
  for (const Pending& pending : pending_) actions_.push_back(Remove{pending.session.id});
  for (const ipc::SessionId& id : sessions_.ids()) actions_.push_back(Remove{id});
  pending_.clear();
  sessions_.clear();
}

void LinkController::State::zeroize(std::string_view who, Time now) {
  if (keys_.is_empty()) return;
  attempt_.reset();
  pending_.clear();
  sessions_.clear();
  keys_.clear();
  identity_.reset();
  std::erase_if(actions_,
                [](const Action& action) { return std::holds_alternative<Install>(action); });
  since_ = now;
  zeroized_ =
      fmt::format("zeroized by {}; `penstock reload` or a restart loads the keys again", who);
  view_.went_down(zeroized_);
}

void LinkController::State::rekey_now(HandshakeCause cause, Time now) {
  schedule_.reset();
  rekey_cause_ = cause;
  if (Session* current = sessions_.current()) current->rekey_at = now;
}

}  // namespace penstock::controlplane
