#include "controlplane/session/schedule.hpp"

#include <algorithm>

namespace penstock::controlplane {
namespace {

Time random_below(Time bound, Entropy& entropy) {
  return Time{static_cast<Time::rep>(entropy.below(static_cast<std::uint64_t>(bound.count())))};
}

}  // namespace

Time Schedule::next(Time wanted) const { return std::max({wanted, retry_at_, quiet_until_}); }

void Schedule::attempt_failed(Entropy& entropy, Time now) {
  retry_at_ = now + wait_ / 2 + random_below(wait_ / 2, entropy);
  wait_ = std::min<Time>(2 * wait_, limits::retry_last);
}

void Schedule::succeeded() {
  wait_ = limits::retry_first;
  retry_at_ = Time{};
}

Time rekey_delay(ipc::Role role, Time rekey_after, Entropy& entropy) {
  if (role == ipc::Role::initiator) return rekey_after;
  // limits::rekey_after_responder_min..max for the default of limits::rekey_after.
  const Time earliest = rekey_after / 12 * 13;
  return earliest + random_below(std::max(rekey_after / 12, Time{1}), entropy);
}
static_assert(limits::rekey_after * 13 / 12 == limits::rekey_after_responder_min);
static_assert(limits::rekey_after * 14 / 12 == limits::rekey_after_responder_max);

}  // namespace penstock::controlplane
