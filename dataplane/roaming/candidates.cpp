#include "dataplane/roaming/candidates.hpp"

#include <algorithm>

#include "penstock/keys/secret.hpp"

namespace penstock::dataplane::roaming {

Candidates::Candidate* Candidates::find(const ipc::SessionId& session) {
  const auto at = std::ranges::find(all_, session, &Candidate::session);
  return at == all_.end() ? nullptr : &*at;
}

void Candidates::sighted(const ipc::SessionId& session, const Endpoint& from, std::uint32_t frames,
                         Time now) {
  Candidate* candidate = find(session);
  if (candidate == nullptr) {
    if (all_.size() >= capacity) return;
    candidate = &all_.emplace_back(Candidate{.session = session, .challenge_at = now});
  }
  if (candidate->at != from || now >= candidate->ends) {
    *candidate = {.session = session,
                  .at = from,
                  .nonce = draw_(),
                  .challenge_at = std::max(candidate->challenge_at, now),
                  .ends = now + life};
  }
  candidate->may_send += std::uint64_t{amplification} * frames;
}

bool Candidates::proves(const ipc::SessionId& session, const Endpoint& from, const Nonce& nonce,
                        Time now) {
  const Candidate* candidate = find(session);
  if (candidate == nullptr || now >= candidate->ends || candidate->at != from ||
      !equal_constant_time(candidate->nonce, nonce))
    return false;
  forget(session);
  return true;
}

void Candidates::forget(const ipc::SessionId& session) {
  std::erase_if(all_, [&](const Candidate& candidate) { return candidate.session == session; });
}

std::vector<Candidates::Challenge> Candidates::take_challenges(Time now) {
  std::erase_if(all_, [now](const Candidate& candidate) { return now >= candidate.ends; });
  std::vector<Challenge> due;
  for (Candidate& candidate : all_) {
    if (now < candidate.challenge_at || candidate.may_send == 0) continue;
    --candidate.may_send;
    candidate.challenge_at = now + pause;
    due.push_back({.session = candidate.session, .to = candidate.at, .nonce = candidate.nonce});
  }
  return due;
}

void Candidates::give_back(const ipc::SessionId& session) {
  if (Candidate* candidate = find(session)) ++candidate->may_send;
}

Time Candidates::deadline() const {
  Time deadline = Time::max();
  for (const Candidate& candidate : all_)
    deadline = std::min(
        {deadline, candidate.ends, candidate.may_send > 0 ? candidate.challenge_at : Time::max()});
  return deadline;
}

}  // namespace penstock::dataplane::roaming
