#include "controlplane/shell/link_numbers.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace penstock::controlplane {
namespace {

using Numbers = std::vector<std::uint32_t>;

ipc::SessionInfo session(std::string_view peer, std::uint32_t link,
                         ipc::SessionState state = ipc::SessionState::current) {
  ipc::SessionInfo info;
  std::ranges::copy(peer, info.peer_name.begin());
  info.link = link;
  info.state = state;
  return info;
}

const std::vector<std::string> peers{"beta", "gamma", "delta"};

TEST(LinkNumbers, AreTheLowestOnesWhereNothingLives) {
  EXPECT_EQ(number_links(peers, {}), (Numbers{0, 1, 2}));
}

TEST(LinkNumbers, OfLivingSessionsStay) {
  const std::vector living{session("delta", 0), session("beta", 2)};
  EXPECT_EQ(number_links(peers, living), (Numbers{2, 1, 0}));
}

TEST(LinkNumbers, OfPeersThatAreGoneAreFree) {
  const std::vector living{session("omega", 0)};
  EXPECT_EQ(number_links(peers, living), (Numbers{0, 1, 2}));
}

TEST(LinkNumbers, FollowTheSessionThatIsSentOn) {
  using enum ipc::SessionState;
  const std::vector living{session("beta", 4, retiring), session("beta", 7, current),
                           session("beta", 5, unconfirmed)};
  EXPECT_EQ(number_links(peers, living).front(), 7u);
}

TEST(LinkNumbers, TheLowestFreeOneFillsTheGap) {
  EXPECT_EQ(lowest_free({}), 0u);
  EXPECT_EQ(lowest_free({3, 0, 1}), 2u);
  EXPECT_EQ(lowest_free({0, 1, 2}), 3u);
}

}  // namespace
}  // namespace penstock::controlplane
