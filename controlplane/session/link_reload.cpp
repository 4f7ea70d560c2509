// What the operator changes while a link lives: its config and keys, or that there are any.
#include <algorithm>
#include <array>
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

std::string listed(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

}  // namespace

void LinkController::State::load_keys(Setup& setup) {
  identity_ = identity_of(config_, std::move(setup.identity));
  is_turn_of_old_ = false;
  retired_.reset();
  keys_.load(setup.file_key, setup.old_file_key,
             {.site = site_name_,
              .peer = config_.peer,
              .suites = &config_.suites,
              .identity = identity(),
              .entropy = entropy_});
}

std::vector<std::string_view> LinkController::State::changes(const Setup& setup) const {
  const LinkConfig& a = config_;
  const LinkConfig& b = setup.config;
  const std::array<std::pair<std::string_view, bool>, 16> differs{{
      {"endpoint", a.endpoint != b.endpoint || a.endpoint_name != b.endpoint_name},
      {"key_file", !keys_.holds(setup.file_key, setup.old_file_key)},
      {"identity", !is_same(identity_, identity_of(b, setup.identity))},
      {"suites", a.suites != b.suites},
      {"frame_size", a.frame_size != b.frame_size},
      {"tag", a.tag != b.tag},
      {"min_tag", a.min_tag != b.min_tag},
      {"hold", a.hold != b.hold},
      {"rekey_after", a.rekey_after != b.rekey_after},
      {"max_age", a.max_age != b.max_age},
      {"rekey_bytes", a.rekey_bytes != b.rekey_bytes},
      {"dead_after", a.dead_after != b.dead_after},
      {"roam", a.roam != b.roam},
      {"nat", a.nat != b.nat},
      {"vlan", a.vlan != b.vlan},
      {"old_key_file", a.old_key_file != b.old_key_file},
  }};
  std::vector<std::string_view> names;
  for (const auto& [name, is_other] : differs)
    if (is_other) names.push_back(name);
  return names;
}

bool LinkController::State::reconfigure(Setup setup, Time now) {
  check(setup.config.peer == config_.peer, "a link is known by its peer's name");
  const std::vector<std::string_view> changed = changes(setup);
  if (changed.empty()) return false;
  if (std::ranges::find(changed, "endpoint") != changed.end()) {
    address_ = PeerAddress{setup.config};
    view_.rename(setup.config.peer, address_.describe());
  }
  attempt_.reset();  // it points at the keys, and offers what the config said
  config_ = std::move(setup.config);
  load_keys(setup);
  const bool is_other_key = std::ranges::find(changed, "key_file") != changed.end();
  rekey_now(is_other_key ? HandshakeCause::new_key : HandshakeCause::reload, now);
  view_.changed(listed(changed));
  return true;
}

void LinkController::State::retire(Time) {
  attempt_.reset();
  for (const Pending& pending : pending_) actions_.push_back(Remove{pending.session.id});
  for (const ipc::SessionId& id : sessions_.ids()) actions_.push_back(Remove{id});
  pending_.clear();
  sessions_.clear();
  keys_.clear();
  facts_.reset();
}

void LinkController::State::zeroize(std::string_view who, Time now) {
  attempt_.reset();
  pending_.clear();
  sessions_.clear();
  keys_.clear();
  identity_.reset();
  since_ = now;
  view_.went_down(
      fmt::format("zeroized by {}; `penstock reload` or a restart loads the keys again", who));
}

void LinkController::State::rekey_now(HandshakeCause cause, Time now) {
  schedule_.reset();
  rekey_cause_ = cause;
  if (Session* current = sessions_.current()) current->rekey_at = now;
}

}  // namespace penstock::controlplane
