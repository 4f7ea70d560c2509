#include "dataplane/worker_counters.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace penstock::dataplane {
namespace {

TEST(WorkerCounters, NothingIsSeenBeforeItIsPublished) {
  WorkerCounters count;
  count.add(Counter::packed, 3);
  count.drop(DropReason::bad_tag);
  count.set(Gauge::held_frames, 7);
  EXPECT_EQ(count.snapshot()[Counter::packed], 0u);
  count.publish();
  EXPECT_EQ(count.snapshot()[Counter::packed], 3u);
  EXPECT_EQ(count.snapshot()[DropReason::bad_tag], 1u);
  EXPECT_EQ(count.snapshot()[Gauge::held_frames], 7u);
}

TEST(WorkerCounters, EverySnapshotIsOneTurn) {
  WorkerCounters count;
  std::atomic<bool> stop{false};
  std::thread worker{[&] {
    while (!stop.load(std::memory_order_relaxed)) {
      count.add(Counter::plain_received);
      count.drop(DropReason::no_session);
      count.publish();
    }
  }};
  std::uint64_t last = 0;
  for (int i = 0; i < 20000; ++i) {
    const Counters seen = count.snapshot();
    ASSERT_EQ(unbalanced_book(seen), "");
    ASSERT_GE(seen[Counter::plain_received], last);
    last = seen[Counter::plain_received];
  }
  stop = true;
  worker.join();
  EXPECT_GT(last, 0u);
}

}  // namespace
}  // namespace penstock::dataplane
