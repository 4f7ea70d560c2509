#include "dataplane/roaming/candidates.hpp"

#include <gtest/gtest.h>

namespace penstock::dataplane::roaming {
namespace {

using namespace std::chrono_literals;

Nonce draw() {
  static std::uint8_t count = 0;
  Nonce nonce;
  nonce.fill(std::byte{++count});
  return nonce;
}

Endpoint at(int port) {
  return {.address = *parse_ip("203.0.113.9"), .port = static_cast<std::uint16_t>(port)};
}

class CandidatesTest : public testing::Test {
 protected:
  // The one challenge that is due.
  Candidates::Challenge taken() {
    const auto due = candidates.take_challenges(now);
    EXPECT_EQ(due.size(), 1u);
    return due.empty() ? Candidates::Challenge{} : due[0];
  }
  // How many challenges leave when time passes and nothing else happens.
  std::size_t all_taken() {
    std::size_t count = 0;
    for (; candidates.deadline() != Time::max(); now = candidates.deadline()) {
      if (candidates.deadline() > now) now = candidates.deadline();
      count += candidates.take_challenges(now).size();
      if (candidates.deadline() == Time::max()) break;
    }
    return count;
  }

  Candidates candidates{draw};
  ipc::SessionId session{std::byte{1}};
  Time now = 1000s;
};

TEST_F(CandidatesTest, OneThatAnswersHasProvedItself) {
  EXPECT_EQ(candidates.deadline(), Time::max());
  candidates.sighted(session, at(1), 1, now);
  EXPECT_EQ(candidates.deadline(), now);
  const auto challenge = taken();
  EXPECT_EQ(challenge.session, session);
  EXPECT_EQ(challenge.to, at(1));
  EXPECT_TRUE(candidates.proves(session, at(1), challenge.nonce, now + 1s));
  EXPECT_EQ(candidates.deadline(), Time::max());
  EXPECT_FALSE(candidates.proves(session, at(1), challenge.nonce, now + 1s));
}

TEST_F(CandidatesTest, TheAnswerComesFromTheCandidateItself) {
  candidates.sighted(session, at(1), 1, now);
  const auto challenge = taken();
  EXPECT_FALSE(candidates.proves(session, at(2), challenge.nonce, now));
  EXPECT_TRUE(candidates.proves(session, at(1), challenge.nonce, now));
}

TEST_F(CandidatesTest, TheAnswerIsTheChallenge) {
  candidates.sighted(session, at(1), 1, now);
  const auto challenge = taken();
  for (const std::size_t byte : {0u, 7u, 15u}) {
    Nonce wrong = challenge.nonce;
    wrong[byte] ^= std::byte{0x80};
    EXPECT_FALSE(candidates.proves(session, at(1), wrong, now));
  }
  EXPECT_FALSE(candidates.proves({std::byte{2}}, at(1), challenge.nonce, now));
  EXPECT_TRUE(candidates.proves(session, at(1), challenge.nonce, now));
}

TEST_F(CandidatesTest, AnAnswerMayComeTooLate) {
  candidates.sighted(session, at(1), 1, now);
  const auto challenge = taken();
  EXPECT_FALSE(candidates.proves(session, at(1), challenge.nonce, now + Candidates::life));
}

TEST_F(CandidatesTest, GetsAtMostThreeTimesWhatItSent) {
  for (const std::uint32_t frames : {1u, 2u, 5u}) {
    candidates.sighted(session, at(1), frames, now);
    EXPECT_EQ(all_taken(), 3u * frames);
  }
}

TEST_F(CandidatesTest, GetsFourChallengesASecondHoweverMuchItSends) {
  const Time end = now + Candidates::life;
  std::size_t challenges = 0;
  for (; now < end; now += 10ms) {
    candidates.sighted(session, at(1), 100, now);
    challenges += candidates.take_challenges(now).size();
  }
  EXPECT_EQ(challenges, static_cast<std::size_t>(Candidates::life / Candidates::pause));
}

TEST_F(CandidatesTest, ManyAddressesAreNotManyChallenges) {
  std::size_t challenges = 0;
  for (int step = 0; step < 100; ++step, now += 10ms) {
    candidates.sighted(session, at(step + 1), 100, now);
    challenges += candidates.take_challenges(now).size();
  }
  EXPECT_EQ(challenges, static_cast<std::size_t>(1s / Candidates::pause));
}

TEST_F(CandidatesTest, TheLastSeenIsTheCandidate) {
  candidates.sighted(session, at(1), 1, now);
  const auto first = taken();
  candidates.sighted(session, at(2), 1, now);
  EXPECT_TRUE(candidates.take_challenges(now).empty());
  now += Candidates::pause;
  const auto second = taken();
  EXPECT_EQ(second.to, at(2));
  EXPECT_NE(second.nonce, first.nonce);
  EXPECT_FALSE(candidates.proves(session, at(1), first.nonce, now));
  EXPECT_FALSE(candidates.proves(session, at(2), first.nonce, now));
  EXPECT_TRUE(candidates.proves(session, at(2), second.nonce, now));
}

TEST_F(CandidatesTest, OneWithoutAnswerIsForgotten) {
  candidates.sighted(session, at(1), 1, now);
  const auto challenge = taken();
  now += Candidates::life;
  EXPECT_TRUE(candidates.take_challenges(now).empty());
  EXPECT_EQ(candidates.deadline(), Time::max());
  // Seen again, it is asked anew.
  candidates.sighted(session, at(1), 1, now);
  EXPECT_NE(taken().nonce, challenge.nonce);
}

TEST_F(CandidatesTest, WhatCouldNotBeSentDoesNotCount) {
  candidates.sighted(session, at(1), 1, now);
  static_cast<void>(taken());
  candidates.give_back(session);
  EXPECT_EQ(all_taken(), 3u);
}

TEST_F(CandidatesTest, SessionsHaveTheirOwn) {
  const ipc::SessionId other{std::byte{2}};
  candidates.sighted(session, at(1), 1, now);
  candidates.sighted(other, at(1), 1, now);
  const auto due = candidates.take_challenges(now);
  ASSERT_EQ(due.size(), 2u);
  EXPECT_FALSE(candidates.proves(session, at(1), due[1].nonce, now));
  candidates.forget(session);
  EXPECT_FALSE(candidates.proves(session, at(1), due[0].nonce, now));
  EXPECT_TRUE(candidates.proves(other, at(1), due[1].nonce, now));
}

TEST_F(CandidatesTest, SoManyAtOnceAndNoMore) {
  for (std::size_t i = 0; i <= Candidates::capacity; ++i) {
    ipc::SessionId id{};
    store_be32(id.data(), static_cast<std::uint32_t>(i));
    candidates.sighted(id, at(1), 1, now);
  }
  EXPECT_EQ(candidates.take_challenges(now).size(), Candidates::capacity);
}

}  // namespace
}  // namespace penstock::dataplane::roaming
