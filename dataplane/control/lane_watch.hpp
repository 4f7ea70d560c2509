// Finds lanes of far sides on which nothing comes while others of the session are heard: a
// firewall, or one of several equal paths, that does not carry a lane's source port. A far side
// speaks on every lane of its current session at least every limits::keepalive, whatever its
// workers have to send (docs/protocol.md, "Keepalives"), so a lane that says nothing is no idle
// one. Main core; decides by what workers noted (LaneEar) and a clock.
#pragma once

#include <unordered_map>
#include <vector>

#include "penstock/base/clock.hpp"
#include "penstock/base/limits.hpp"

#include "dataplane/control/session_directory.hpp"

namespace penstock::dataplane {

class LaneWatch {
 public:
  // A lane is silent when it is not heard for the link's dead_after and this: all lanes may have
  // been away for almost dead_after, its next keepalive may be one interval off, the worker's look
  // at it another, and one is lost.
  static constexpr Time patience = 3 * limits::keepalive;

  // There is a session of so many lanes to look at.
  void watch(unsigned lanes_in, Time now);
  // When look() is due; Time::max() while no far side has several lanes.
  [[nodiscard]] Time deadline() const { return due_; }
  // Brings LanesHeard of all sessions up to date; those whose silent lanes are others now.
  [[nodiscard]] std::vector<const SessionRecord*> look(
      std::span<const std::unique_ptr<SessionRecord>> sessions, Time now);
  // A session has ended. Where no other replaced it, nothing is known of its link's next one.
  void forget(const SessionRecord& record);

 private:
  [[nodiscard]] bool judge(SessionRecord& record, Time now);

  Time due_ = Time::max();
  // By link, none that is empty. A lane that is silent stays so in the session that replaces the
  // one where that was found, until it is heard.
  std::unordered_map<std::uint32_t, LaneSet> silent_;
};

}  // namespace penstock::dataplane
