#include "dataplane/session/deadlines.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include <gtest/gtest.h>

namespace penstock::dataplane {
namespace {

TEST(Deadlines, none_is_never) {
  Deadlines deadlines{4};
  EXPECT_EQ(deadlines.first(), Time::max());
  Session session;
  deadlines.erase(session);  // it is not there
  EXPECT_EQ(deadlines.first(), Time::max());
}

// Against a map, which knows all of them.
TEST(Deadlines, the_first_is_the_first_whatever_is_put_in_moved_or_taken_out) {
  constexpr std::size_t capacity = 300;
  Deadlines deadlines{capacity};
  std::deque<Session> sessions(capacity);
  std::map<Session*, Time> known;
  std::mt19937 chance{1};  // NOLINT(cert-msc51-cpp): the same every time
  for (int step = 0; step < 100'000; ++step) {
    Session& session = sessions[chance() % capacity];
    if (chance() % 3 == 0) {
      deadlines.erase(session);
      known.erase(&session);
    } else {
      const Time due{chance() % 1000};
      deadlines.set(session, due);
      known[&session] = due;
    }
    const auto first =
        std::ranges::min_element(known, {}, [](const auto& entry) { return entry.second; });
    ASSERT_EQ(deadlines.first(), first == known.end() ? Time::max() : first->second);
    if (!known.empty()) {
      ASSERT_EQ(known.at(deadlines.first_session()), first->second);
    }
  }
}

TEST(Deadlines, more_sessions_than_there_may_be_stop_the_process) {
  Deadlines deadlines{1};
  Session first;
  Session second;
  deadlines.set(first, {});
  EXPECT_DEATH(deadlines.set(second, {}), "refuses more");
}

}  // namespace
}  // namespace penstock::dataplane
