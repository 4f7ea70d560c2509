#include "controlplane/session/operator_view.hpp"

#include <utility>

#include <fmt/format.h>

namespace penstock::controlplane {
namespace {

constexpr std::string_view foreign_key_text =
    "the far side does not hold the same key; compare the key files (and the site names, which "
    "are part of the key)";
// Longer than the longest wait between two attempts of the far side.
constexpr Time explanation_memory = limits::attempt_life + 2 * limits::retry_last;

}  // namespace

void OperatorView::rename(std::string_view peer, std::string_view where) {
  name_ = where.empty() ? fmt::format("link {}", peer) : fmt::format("link {} ({})", peer, where);
}

void OperatorView::went_up(std::string_view how) {
  reason_.clear();
  explained_until_ = Time{};
  notice(Notice::Kind::info, how);
}

void OperatorView::went_down(std::string_view why) {
  reason_ = why;
  notice(Notice::Kind::warning, fmt::format("down: {}", why));
}

void OperatorView::unprotected(Suite suite) {
  const std::string text =
      fmt::format("suite {}: NOTHING is encrypted or authenticated; whoever is on the path reads "
                  "and forges packets",
                  to_string(suite));
  notice(Notice::Kind::error, text);
  audit("null_session", text);
}

void OperatorView::may_be_unprotected(Suite suite) {
  notice(Notice::Kind::error,
         fmt::format("the config allows suite {}, which encrypts and authenticates NOTHING",
                     to_string(suite)));
}

void OperatorView::stays_up(bool had_failed) {
  reason_.clear();
  explained_until_ = Time{};
  if (had_failed) notice(Notice::Kind::info, "answers again");
}

void OperatorView::suite_changed(std::string_view now, std::string_view before) {
  notice(Notice::Kind::info,
         fmt::format("the new session is {}; the one before was {}", now, before));
}

void OperatorView::changed(std::string_view keys) {
  notice(Notice::Kind::info, fmt::format("changed by a reload: {}", keys));
}

void OperatorView::new_key_unanswered(Time now) {
  unsigned suppressed = 0;
  if (new_key_limit_.allow(now, suppressed))
    notice(Notice::Kind::info,
           "the far side does not answer to the new key; the old one stays in use until it does");
}

void OperatorView::key_rotated(const crypto::KeyFingerprint& key,
                               const crypto::KeyFingerprint& old) {
  const std::string text =
      fmt::format("the new key {} has proved good; the old one {} is neither offered nor accepted "
                  "any more: remove old_key_file",
                  to_hex(Bytes{key}.first(8)), to_hex(Bytes{old}.first(8)));
  notice(Notice::Kind::info, text);
  audit("key_rotated", text);
}

void OperatorView::found(std::string_view host, const Endpoint& now,
                         const std::optional<Endpoint>& before) {
  notice(Notice::Kind::info, before ? fmt::format("{} is at {} now, no longer at {}", host,
                                                  to_string(now), to_string(*before))
                                    : fmt::format("{} is at {}", host, to_string(now)));
}

void OperatorView::moved(const Endpoint& from, const Endpoint& to, Time now) {
  unsigned suppressed = 0;
  if (!moved_limit_.allow(now, suppressed)) return;
  const std::string text =
      fmt::format("the far side moved from {} to {}", to_string(from), to_string(to));
  notice(Notice::Kind::info, text, suppressed);
  audit("peer_moved", text);
}

std::string OperatorView::rekey_trouble(std::uint64_t failures) const {
  if (failures == 0) return {};
  if (failures == 1) return fmt::format("the last handshake failed: {}", reason_);
  return fmt::format("the last {} handshakes failed: {}", failures, reason_);
}

void OperatorView::failed(std::string why, Time now) { said_failure(std::move(why), now); }

void OperatorView::peer_refused(std::string why, Time now) {
  if (said_failure(std::move(why), now)) audit("peer_refused", reason_);
}

bool OperatorView::said_failure(std::string why, Time now) {
  if (why != reason_) failure_limit_ = log::RateLimit{repeat_after};
  reason_ = std::move(why);
  return limited(failure_limit_, reason_, now);
}

void OperatorView::foreign_key(bool is_up, Time now) {
  if (!is_up) return explain_silence(std::string{foreign_key_text}, now);
  limited(other_key_limit_,
          "the far side also tries a key that this site does not hold; if its key is being "
          "changed, give this site the new key file too",
          now);
}

void OperatorView::same_name(Time now) {
  explain_silence(fmt::format("messages under our own name come from the far side: both files may "
                              "call their site \"{}\"; swap name and peer in one of them",
                              site_),
                  now);
}

void OperatorView::explain_silence(std::string why, Time now) {
  reason_ = std::move(why);
  explained_until_ = now + explanation_memory;
  if (limited(explained_limit_, reason_, now)) audit("peer_refused", reason_);
}

void OperatorView::not_authentic(Time now) {
  constexpr std::string_view text =
      "a handshake message that names this link's key failed its check: damaged or forged on the "
      "way";
  if (limited(not_authentic_limit_, text, now)) audit("peer_refused", text);
}

void OperatorView::downgrade(Time now) {
  constexpr std::string_view text =
      "refused a downgrade: what the far side offered or was answered is not what arrived, so "
      "somebody on the path changes handshakes (or they get damaged there)";
  if (limited(downgrade_limit_, text, now)) audit("peer_refused", text);
}

bool OperatorView::limited(log::RateLimit& limit, std::string_view text, Time now) {
  unsigned suppressed = 0;
  if (!limit.allow(now, suppressed)) return false;
  notice(Notice::Kind::warning, text, suppressed);
  return true;
}

void OperatorView::audit(std::string_view event, std::string_view text) {
  actions_->push_back(Audit{.event = event, .text = fmt::format("{}: {}", name_, text)});
}

void OperatorView::notice(Notice::Kind kind, std::string_view text, unsigned suppressed) {
  std::string line = fmt::format("{}: {}", name_, text);
  if (suppressed > 0) line += fmt::format(" ({} more like this since the last line)", suppressed);
  actions_->push_back(Notice{.kind = kind, .text = std::move(line)});
}

}  // namespace penstock::controlplane
