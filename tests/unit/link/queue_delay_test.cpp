// How long packets wait on a link that is offered more than it carries: on virtual time, a frame
// of 1436 bytes every 1.5 ms (8 Mbit/s), packed as the data plane packs.
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "penstock/link/packer.hpp"
#include "penstock/link/packet_queues.hpp"

namespace penstock {
namespace {

using namespace std::chrono_literals;
using enum PacketClass;

constexpr Time tick = 1500us;
constexpr std::size_t payload = 1436;
constexpr Time longest = 50ms;
constexpr std::size_t bound = payload * (longest / tick);

class Link {
 public:
  Link() {
    const CodelSettings codel = codel_for(tick, payload);
    queues.set_limits(
        {.bytes = bound, .target = codel.target, .interval = codel.interval, .longest = longest});
  }

  void offer(PacketClass of, std::size_t length) {
    const std::vector<std::byte> packet(length);
    const std::array<Bytes, 1> pieces = {Bytes{packet}};
    (void)queues.push(of, BlockKind::ethernet, pieces, now);
  }

  void send_frame() {
    now += tick;
    FramePacker packer;
    std::vector<std::byte> frame(payload + frame_layout::prologue);
    packer.begin(frame);
    while (!packer.is_full()) {
      const QueuedBlock* next = queues.next(now);
      if (next == nullptr) break;
      if (!block_) block_.emplace(next->kind, next->bytes);
      packer.append(*block_);
      if (!block_->is_done()) break;
      block_.reset();
      queues.pop(now);
    }
    (void)packer.finish();
  }

  PacketQueues queues{{.bytes = bound}};
  Time now = 1s;

 private:
  std::optional<BlockSource> block_;  // begun in a frame that has left
};

constexpr Time upper(Time exact) { return exact + exact / 16 + 1us; }

// What a host that knows no congestion sends: three times what the link carries, for 20 s.
void flood(Link& link, PacketClass with, PacketClass beside) {
  std::mt19937 dice{5};
  for (const Time end = link.now + 20s; link.now < end; link.send_frame()) {
    for (unsigned i = 0; i < 3; ++i) link.offer(with, 900 + dice() % 600);
    if (dice() % 13 == 0) link.offer(beside, 214);  // a call: every 20 ms
  }
}

TEST(QueueDelay, NothingWaitsMuchLongerThanItMay) {
  for (const PacketClass greedy : {voice, video, normal, bulk}) {
    Link link;
    flood(link, greedy, normal);
    const auto delays = link.queues.delays(greedy, link.now);
    // The head is young enough when it is chosen; then it may need two frames.
    EXPECT_LE(delays.p99, upper(longest + 2 * tick)) << static_cast<int>(greedy);
    EXPECT_GT(delays.p50, 5ms);
  }
}

// What has the smallest share would wait ten times as long for its turn.
TEST(QueueDelay, NorDoesWhatOthersGoBefore) {
  Link link;
  for (const Time end = link.now + 20s; link.now < end; link.send_frame())
    for (const PacketClass of : {video, normal, bulk}) link.offer(of, 1400);
  for (const PacketClass of : {video, normal, bulk})
    EXPECT_LE(link.queues.delays(of, link.now).p99, upper(longest + 2 * tick));
  EXPECT_GT(link.queues.figures(bulk).packets, 500u);
}

TEST(QueueDelay, ACallDoesNotWaitBehindABackup) {
  for (const PacketClass greedy : {video, normal, bulk}) {
    Link link;
    flood(link, greedy, voice);
    EXPECT_LE(link.queues.delays(voice, link.now).p99, upper(3 * tick));
    EXPECT_EQ(link.queues.figures(voice).dropped, 0u);
    EXPECT_EQ(link.queues.figures(voice).dropped_aqm, 0u);
    EXPECT_GT(link.queues.figures(voice).packets, 900u);
  }
}

// Even where it says that it is one.
TEST(QueueDelay, ABackupThatCallsItselfVoiceLeavesHalf) {
  Link link;
  flood(link, voice, normal);
  EXPECT_EQ(link.queues.figures(normal).dropped, 0u);
  EXPECT_LE(link.queues.delays(normal, link.now).p99, upper(longest));
}

// A sender that heeds marks: its window halves, else grows by a packet a round trip (20 ms).
TEST(QueueDelay, SettlesNearTheTargetWhenSendersHeed) {
  Link link;
  unsigned window = 10;
  std::uint64_t seen = 0;
  Time grows_at = link.now;
  for (const Time end = link.now + 40s; link.now < end; link.send_frame()) {
    const auto figures = link.queues.figures(normal);
    if (const auto acted = figures.dropped + figures.dropped_aqm; acted != seen) {
      seen = acted;
      window = std::max(2u, window / 2);
    }
    if (link.now >= grows_at) {
      grows_at += 20ms;
      ++window;
    }
    for (std::size_t n = link.queues.packets(); n < window; ++n) link.offer(normal, 1400);
  }
  EXPECT_LE(link.queues.delays(normal, link.now).p50, 25ms);
  EXPECT_GT(link.queues.figures(normal).packets, 20'000u);  // and it is nearly never idle
}

}  // namespace
}  // namespace penstock
