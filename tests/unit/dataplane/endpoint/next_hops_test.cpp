#include "dataplane/endpoint/next_hops.hpp"

#include <gtest/gtest.h>

namespace penstock::dataplane::endpoint {
namespace {

using namespace std::chrono_literals;

const IpAddress gateway = *parse_ip("192.0.2.254");
const IpAddress near = *parse_ip("192.0.2.9");
const IpAddress far = *parse_ip("198.51.100.1");
constexpr MacAddress mac{{std::byte{2}, {}, {}, {}, {}, std::byte{7}}};
constexpr MacAddress other{{std::byte{2}, {}, {}, {}, {}, std::byte{8}}};

class NextHopsTest : public testing::Test {
 protected:
  NextHops hops{*parse_prefix("192.0.2.1/24"), gateway};
  Time now = 1000s;
};

TEST_F(NextHopsTest, LeadsStraightOrThroughTheGateway) {
  EXPECT_EQ(hops.towards(near), near);
  EXPECT_EQ(hops.towards(far), gateway);
  EXPECT_FALSE(hops.towards(*parse_ip("2001:db8::1")));
  const NextHops alone{*parse_prefix("192.0.2.1/24"), std::nullopt};
  EXPECT_FALSE(alone.towards(far));
  EXPECT_EQ(alone.towards(near), near);
}

TEST_F(NextHopsTest, AsksUntilAnAnswerCameAndRefreshesIt) {
  EXPECT_EQ(hops.deadline(), Time::max());
  EXPECT_FALSE(hops.find(near, now));
  EXPECT_EQ(hops.take_questions(now), std::vector{near});
  EXPECT_TRUE(hops.take_questions(now).empty());
  now += NextHops::ask_again;
  EXPECT_EQ(hops.deadline(), now);
  EXPECT_EQ(hops.take_questions(now), std::vector{near});
  EXPECT_EQ(hops.deadline(), now + 2 * NextHops::ask_again);

  EXPECT_TRUE(hops.learn(near, mac, now));
  EXPECT_EQ(hops.find(near, now), mac);
  EXPECT_EQ(hops.deadline(), now + NextHops::refresh);
  now += NextHops::refresh;
  EXPECT_EQ(hops.take_questions(now), std::vector{near});
  EXPECT_EQ(hops.find(near, now), mac);  // kept while the answer is out
  EXPECT_FALSE(hops.learn(near, mac, now));
  EXPECT_TRUE(hops.learn(near, other, now));
  EXPECT_EQ(hops.find(near, now), other);
}

TEST_F(NextHopsTest, LearnsOnlyWhatItNeeds) {
  EXPECT_FALSE(hops.learn(near, mac, now));
  EXPECT_FALSE(hops.find(near, now));
}

TEST_F(NextHopsTest, UnlearnedIsAskedForAgain) {
  hops.find(near, now);
  static_cast<void>(hops.take_questions(now));
  EXPECT_TRUE(hops.learn(near, mac, now));
  hops.unlearn(near, now);
  EXPECT_FALSE(hops.find(near, now));
  now += NextHops::ask_again;
  EXPECT_EQ(hops.take_questions(now), std::vector{near});
  EXPECT_TRUE(hops.learn(near, mac, now));
}

TEST_F(NextHopsTest, ForgetsWhatNobodyNeedsAndKeepsWhatIsPinned) {
  hops.find(near, now);
  hops.pin(gateway, now);
  now += 10min;
  EXPECT_EQ(hops.take_questions(now), std::vector{gateway});
  EXPECT_FALSE(hops.learn(near, mac, now));
  EXPECT_TRUE(hops.learn(gateway, mac, now));
}

TEST_F(NextHopsTest, IsPinnedUntilTheLastOfItsUsersIsGone) {
  hops.pin(near, now);
  hops.pin(near, now);
  hops.unpin(near);
  now += 10min;
  EXPECT_EQ(hops.take_questions(now), std::vector{near});
  hops.unpin(near);
  EXPECT_TRUE(hops.take_questions(now + 10min).empty());
  EXPECT_EQ(hops.deadline(), Time::max());
}

TEST_F(NextHopsTest, StrangersCannotPushOutWhatIsPinned) {
  hops.pin(gateway, now);
  for (int i = 1; i < 250; ++i) {
    now += 1ms;
    hops.find(*parse_ip("192.0.2." + std::to_string(i)), now);
  }
  std::size_t questions = 0;
  while (hops.deadline() <= now) questions += hops.take_questions(now).size();
  EXPECT_EQ(questions, NextHops::capacity + 1);
  EXPECT_TRUE(hops.learn(gateway, mac, now));
  EXPECT_FALSE(hops.learn(*parse_ip("192.0.2.1"), mac, now));  // the oldest made room
}

TEST_F(NextHopsTest, HoweverManyArePinnedOthersFindRoom) {
  for (std::size_t i = 1; i <= NextHops::capacity; ++i)
    hops.pin(*parse_ip("192.0.2." + std::to_string(i + 100)), now);
  const IpAddress first = *parse_ip("192.0.2.1");
  hops.find(first, now);
  hops.find(*parse_ip("192.0.2.2"), now + 1ms);
  EXPECT_TRUE(hops.learn(first, mac, now));
  EXPECT_EQ(hops.find(first, now), mac);
}

TEST_F(NextHopsTest, AsksAFewAtATime) {
  for (std::size_t i = 1; i <= 40; ++i) hops.pin(*parse_ip("192.0.2." + std::to_string(i)), now);
  EXPECT_EQ(hops.take_questions(now).size(), NextHops::questions_at_once);
  EXPECT_LE(hops.deadline(), now);
  EXPECT_EQ(hops.take_questions(now).size(), 40 - NextHops::questions_at_once);
  EXPECT_GT(hops.deadline(), now);
}

}  // namespace
}  // namespace penstock::dataplane::endpoint
