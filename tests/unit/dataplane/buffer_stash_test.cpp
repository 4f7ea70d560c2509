#include "dataplane/buffer_stash.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/environment.hpp"

namespace penstock::dataplane {
namespace {

TEST(BufferStash, ABufferThatWasAPacketIsAnEmptyOneAgain) {
  const Pool pool = test::make_test_pool(1);
  rte_mbuf* const before = rte_pktmbuf_alloc(pool.get());
  ASSERT_NE(before, nullptr);
  before->data_off = 3;
  before->port = 7;
  before->ol_flags = RTE_MBUF_F_TX_TCP_SEG;
  before->packet_type = 9;
  before->pkt_len = 100;
  before->data_len = 100;
  rte_pktmbuf_free(before);

  BufferStash stash{pool.get()};
  ASSERT_TRUE(stash.ensure(1));
  rte_mbuf* const buffer = stash.pop();
  ASSERT_EQ(buffer, before);
  EXPECT_EQ(buffer->data_off, RTE_PKTMBUF_HEADROOM);
  EXPECT_EQ(buffer->port, RTE_MBUF_PORT_INVALID);
  EXPECT_EQ(buffer->ol_flags, 0u);
  EXPECT_EQ(buffer->packet_type, 0u);
  EXPECT_EQ(buffer->pkt_len, 0u);
  EXPECT_EQ(buffer->data_len, 0u);
  EXPECT_EQ(rte_mbuf_refcnt_read(buffer), 1);
  EXPECT_EQ(buffer->nb_segs, 1);
  EXPECT_EQ(buffer->next, nullptr);
  EXPECT_EQ(frame_in(buffer), rte_pktmbuf_mtod(buffer, std::byte*));
  rte_pktmbuf_free(buffer);
}

TEST(BufferStash, TakesAheadWhatThePoolHasAndWhatIsAskedWhereItHasLittle) {
  const Pool pool = test::make_test_pool(48);
  BufferStash stash{pool.get(), BufferStash::most_ahead};
  EXPECT_TRUE(stash.ensure(8));
  EXPECT_EQ(stash.size(), 40u);
  EXPECT_TRUE(stash.ensure(48));
  EXPECT_EQ(stash.size(), 48u);
  EXPECT_FALSE(stash.ensure(49));
  EXPECT_EQ(stash.size(), 48u);
}

TEST(BufferStash, TakesWhatIsAskedUnlessToldOtherwiseAndGivesBackTheRest) {
  const Pool pool = test::make_test_pool(48);
  {
    BufferStash stash{pool.get()};
    EXPECT_TRUE(stash.ensure(8));
    EXPECT_EQ(test::in_use(pool), 8u);
    EXPECT_TRUE(stash.ensure(3));
    EXPECT_EQ(test::in_use(pool), 8u);
  }
  EXPECT_EQ(test::in_use(pool), 0u);
}

}  // namespace
}  // namespace penstock::dataplane
