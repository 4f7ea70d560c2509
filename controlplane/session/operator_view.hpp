// What a link tells its operator: why it is not up, and lines for the log, the same
// one at most once a minute, except that it came up or went down.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "penstock/base/log.hpp"

#include "controlplane/session/link_controller.hpp"

namespace penstock::controlplane {

class OperatorView {
 public:
  OperatorView(std::string site, std::vector<Action>& actions)
      : site_(std::move(site)), actions_(&actions) {}
  // What every line begins with.
  void rename(std::string_view peer, std::string_view where);

  [[nodiscard]] const std::string& reason() const { return reason_; }

  // Why the link is down for now; no line for the log.
  void waiting(std::string_view why) { reason_ = why; }
  void changed(std::string_view keys);  // of the config, by a reload
  void warn(std::string_view what) { notice(Notice::Kind::warning, what); }
  void went_up(std::string_view how);
  void went_down(std::string_view why);
  void path_carries(std::size_t frame) {
    notice(Notice::Kind::info, fmt::format("the path carries frames of {} bytes now", frame));
  }
  // By the circuit breaker, and its end.
  void stopped(std::string_view why) { notice(Notice::Kind::warning, why); }
  void resumed() { notice(Notice::Kind::info, "resumed: frames leave at their rate again"); }
  void lanes_back() { notice(Notice::Kind::info, "every lane of the far side is heard again"); }
  // A session of a NULL suite is up: said each time, so that nobody takes it for a link, and
  // whatever log_level is.
  void unprotected(Suite suite);
  void may_be_unprotected(Suite suite);  // the config lists it
  // A session was followed by the next one; `had_failed`: not at the first attempt.
  void stays_up(bool had_failed);
  // ... and the two are of different suites or tags.
  void suite_changed(std::string_view now, std::string_view before);
  // What the name of the far side's endpoint has, where that is not what it had.
  void found(std::string_view host, const Endpoint& now, const std::optional<Endpoint>& before);
  // The far side roamed.
  void moved(const Endpoint& from, const Endpoint& to, Time now);
  // Once in an hour: rekeys ask again and again.
  void new_key_unanswered(Time now);
  void key_rotated(const crypto::KeyFingerprint& key, const crypto::KeyFingerprint& old);
  // What ails a link that is up, whose last `failures` handshakes failed.
  [[nodiscard]] std::string rekey_trouble(std::uint64_t failures) const;
  // An attempt ended without a session.
  void failed(std::string why, Time now);
  // One who holds the key did not prove to be the far side.
  void peer_refused(std::string why, Time now);
  // A message under another key came from the link's endpoint: for a while, silence is
  // explained by that. `is_up`: the far side holds ours as well.
  void foreign_key(bool is_up, Time now);
  [[nodiscard]] bool is_silence_explained(Time now) const { return now < explained_until_; }
  // The same, when it was a message such as we send ourselves.
  void same_name(Time now);
  // A message under our key id did not hold.
  void not_authentic(Time now);
  // A message 3 for a message 2 of ours, whose sender saw another offer or another choice.
  void downgrade(Time now);

 private:
  static constexpr std::chrono::minutes repeat_after{1};
  static constexpr std::chrono::hours repeat_new_key_after{1};

  void notice(Notice::Kind kind, std::string_view text, unsigned suppressed = 0);
  void explain_silence(std::string why, Time now);
  void audit(std::string_view event, std::string_view text);
  // Whether it was said.
  bool limited(log::RateLimit& limit, std::string_view text, Time now);
  bool said_failure(std::string why, Time now);

  std::string site_;
  std::string name_;
  std::vector<Action>* actions_;
  std::string reason_;
  Time explained_until_{};
  log::RateLimit failure_limit_{repeat_after};
  log::RateLimit explained_limit_{repeat_after};
  log::RateLimit new_key_limit_{repeat_new_key_after};
  log::RateLimit other_key_limit_{repeat_after};
  log::RateLimit moved_limit_{repeat_after};
  log::RateLimit not_authentic_limit_{repeat_after};
  log::RateLimit downgrade_limit_{repeat_after};
};

}  // namespace penstock::controlplane
