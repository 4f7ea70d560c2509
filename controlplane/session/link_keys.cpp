// The change of a link's long-term key: both are accepted until the new one has proved good, and
// each rekey tries that first.
#include <algorithm>

#include "controlplane/session/link_state.hpp"

namespace penstock::controlplane {

RingKey& LinkController::State::next_key() {
  return is_turn_of_old_ && keys_.has_old() ? *keys_.old() : *keys_.newest();
}

// Who answers a message 1 holds its key: what goes wrong afterwards says nothing about keys.
bool LinkController::State::is_new_key_unanswered() const {
  return keys_.has_old() && attempt_->key == keys_.newest()->fingerprint && !attempt_->is_answered;
}

void LinkController::State::proved(const crypto::KeyFingerprint& key, Time) {
  is_turn_of_old_ = false;
  if (!keys_.has_old() || key != keys_.newest()->fingerprint) return write_retirement();
  const crypto::KeyFingerprint old = keys_.old()->fingerprint;
  if (attempt_ && attempt_->key == old) attempt_.reset();
  drop_unconfirmed([&](const Session& session) { return session.key == old; });
  keys_.retire_old();
  retired_ = old;
  is_retirement_written_ = false;
  write_retirement();
  view_.key_rotated(key, old);
}

void LinkController::State::write_retirement() {
  if (retired_ && !is_retirement_written_) actions_.push_back(RetireOldKey{*retired_});
}

void LinkController::State::old_key_retired(const crypto::KeyFingerprint& old_key) {
  if (retired_ == old_key) is_retirement_written_ = true;
}

void LinkController::State::keep_retired(Setup& setup) {
  if (!retired_) return;
  const auto is_retired = [&](const crypto::FileKey& key) {
    return crypto::fingerprint(key) == *retired_;
  };
  const bool comes_back = setup.old_file_key && is_retired(*setup.old_file_key);
  // As the key of key_file the operator took it back.
  if (is_retired(setup.file_key) || (comes_back && is_retirement_written_)) return retired_.reset();
  if (comes_back) setup.old_file_key.reset();
  write_retirement();
}

void LinkController::State::drop_unconfirmed(const std::function<bool(const Session&)>& is_one) {
  for (const ipc::SessionId& id : sessions_.remove_unconfirmed(is_one))
    actions_.push_back(Remove{id});
  std::erase_if(pending_, [&](const Pending& pending) {
    if (!is_one(pending.session)) return false;
    actions_.push_back(Remove{pending.session.id});
    return true;
  });
}

LinkStatus::Key LinkController::State::key_status() const {
  using enum LinkStatus::Key::State;
  if (keys_.is_empty()) return {.state = none};
  LinkStatus::Key key{.state = only, .newest = keys_.newest()->fingerprint};
  if (keys_.has_old()) {
    key.state = old_in_use;
    key.old = keys_.old()->fingerprint;
  } else if (config_.old_key_file) {
    key.state = new_proved;
    key.old = retired_;
  }
  return key;
}

}  // namespace penstock::controlplane
