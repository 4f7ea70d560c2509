#include "penstock/link/packet_queues.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace penstock {
namespace {

using namespace std::chrono_literals;
using enum PacketClass;
using Buffer = std::vector<std::byte>;

constexpr std::size_t limit = 160'000;
constexpr std::size_t share = limit / 16;
constexpr std::size_t usual = 1000;
constexpr std::array<PacketClass, packet_classes> all_classes = {voice, video, normal, bulk};

bool push(PacketQueues& queues, PacketClass of, std::size_t length = usual, Time now = 1s,
          unsigned value = 0) {
  const Buffer bytes(length, std::byte(value));
  const std::array<Bytes, 1> pieces = {Bytes{bytes}};
  return queues.push(of, BlockKind::ethernet, pieces, now);
}

unsigned fill(PacketQueues& queues, PacketClass of, Time now = 1s) {
  unsigned count = 0;
  while (push(queues, of, usual, now)) ++count;
  return count;
}

PacketClass take(PacketQueues& queues, Time now = 1s) {
  const QueuedBlock* block = queues.next(now);
  EXPECT_NE(block, nullptr);
  if (block == nullptr) return normal;
  const PacketClass of = block->of;
  queues.pop(now);
  return of;
}

TEST(PacketQueues, GivesBackWhatCame) {
  PacketQueues queues{{.bytes = limit}};
  EXPECT_TRUE(queues.is_empty());
  EXPECT_EQ(queues.next(1s), nullptr);
  const Buffer lead(12, std::byte{1});
  const Buffer rest(50, std::byte{2});
  const std::array<Bytes, 2> pieces = {Bytes{lead}, Bytes{rest}};
  ASSERT_TRUE(queues.push(video, BlockKind::offload_ethernet, pieces, 1s, 34));
  EXPECT_EQ(queues.packets(), 1u);
  EXPECT_EQ(queues.bytes(), 66u);

  const QueuedBlock* block = queues.next(2s);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block->kind, BlockKind::offload_ethernet);
  EXPECT_EQ(block->of, video);
  EXPECT_EQ(block->queued_at, 1s);
  EXPECT_EQ(block->dscp, 34);
  ASSERT_EQ(block->bytes.size(), 62u);
  EXPECT_TRUE(std::ranges::equal(block->bytes.first(12), lead));
  EXPECT_TRUE(std::ranges::equal(block->bytes.subspan(12), rest));
  queues.pop(3s);
  EXPECT_TRUE(queues.is_empty());
  EXPECT_EQ(queues.figures(video).packets, 1u);
  EXPECT_GE(queues.delays(video, 3s).p50, 2s);
  EXPECT_EQ(queues.delays(voice, 3s).p50, 0s);
}

TEST(PacketQueues, WhatIsNextStaysNext) {
  PacketQueues queues{{.bytes = limit}};
  ASSERT_TRUE(push(queues, bulk));
  EXPECT_EQ(queues.next(1s)->of, bulk);
  ASSERT_TRUE(push(queues, voice));
  EXPECT_EQ(queues.next(1s)->of, bulk);  // half of it may be in a frame
  EXPECT_EQ(take(queues), bulk);
  EXPECT_EQ(take(queues), voice);
}

TEST(PacketQueues, VoiceGoesFirst) {
  PacketQueues queues{{.bytes = limit}};
  for (const PacketClass of : {bulk, normal, video, voice})
    for (unsigned i = 0; i < 3; ++i) ASSERT_TRUE(push(queues, of));
  for (unsigned i = 0; i < 3; ++i) EXPECT_EQ(take(queues), voice);
  EXPECT_NE(take(queues), voice);
}

// Every class always has packets waiting; what share of the bytes has each?
std::map<PacketClass, double> contend(const std::vector<PacketClass>& classes) {
  PacketQueues queues{{.bytes = limit}};
  std::map<PacketClass, double> got;
  constexpr unsigned rounds = 20'000;
  for (unsigned i = 0; i < rounds; ++i) {
    for (const PacketClass of : classes)
      while (queues.figures(of).queued_packets < 3)
        EXPECT_TRUE(push(queues, of, 100 + i * 37 % 1400));
    const double length = static_cast<double>(BlockFifo::cost(queues.next(1s)->bytes.size()));
    got[take(queues)] += length;
  }
  double all = 0;
  for (const auto& [of, bytes] : got) all += bytes;
  for (auto& [of, bytes] : got) bytes /= all;
  return got;
}

TEST(PacketQueues, VoiceStarvesNobody) {
  auto got = contend({voice, bulk});
  EXPECT_NEAR(got[voice], 0.5, 0.01);
  EXPECT_NEAR(got[bulk], 0.5, 0.01);
}

TEST(PacketQueues, OthersShareByWeight) {
  auto got = contend({video, normal, bulk});
  EXPECT_NEAR(got[video], 0.6, 0.01);
  EXPECT_NEAR(got[normal], 0.3, 0.01);
  EXPECT_NEAR(got[bulk], 0.1, 0.01);
  got = contend({voice, video, normal, bulk});
  EXPECT_NEAR(got[voice], 0.5, 0.01);
  EXPECT_NEAR(got[bulk], 0.05, 0.01);
  got = contend({normal, bulk});
  EXPECT_NEAR(got[normal], 0.75, 0.01);
}

TEST(PacketQueues, ALoneClassHasAll) {
  for (const PacketClass of : all_classes) EXPECT_EQ(contend({of})[of], 1.0);
}

TEST(PacketQueues, BytesAreBoundedForAllTogether) {
  PacketQueues queues{{.bytes = limit}};
  for (const PacketClass of : all_classes) (void)fill(queues, of);
  EXPECT_LE(queues.bytes(), limit);
  EXPECT_GT(queues.bytes(), limit - 4 * (usual + block_header));
}

TEST(PacketQueues, NoClassShutsAnotherOut) {
  for (const PacketClass greedy : all_classes) {
    PacketQueues queues{{.bytes = limit}};
    EXPECT_EQ(fill(queues, greedy), (limit - 3 * share) / (usual + block_header));
    EXPECT_EQ(queues.figures(greedy).dropped, 1u);
    for (const PacketClass other : all_classes) {
      if (other == greedy) continue;
      EXPECT_GE(fill(queues, other), share / (usual + block_header));
    }
    EXPECT_LE(queues.bytes(), limit);
  }
}

TEST(PacketQueues, AnEmptyClassTakesOnePacketHoweverLong) {
  PacketQueues queues{{.bytes = 20'000}};
  for (const PacketClass of : all_classes) {
    EXPECT_TRUE(push(queues, of, limits::max_block)) << static_cast<int>(of);
    EXPECT_FALSE(push(queues, of, usual));
  }
  for (unsigned i = 0; i < packet_classes; ++i) (void)take(queues);
  EXPECT_TRUE(queues.is_empty());
}

TEST(PacketQueues, LimitsChangeAsTheyRun) {
  PacketQueues queues{{.bytes = limit}};
  queues.set_limits({.bytes = limit / 2});
  (void)fill(queues, normal);
  EXPECT_LE(queues.bytes(), limit / 2);
  queues.set_limits({.bytes = 2 * limit});  // no more than there is memory for
  for (const PacketClass of : all_classes) (void)fill(queues, of);
  EXPECT_LE(queues.bytes(), limit);
  EXPECT_GT(queues.bytes(), limit / 2);
  queues.set_limits({.bytes = limit / 8});
  EXPECT_FALSE(push(queues, normal));
  while (!queues.is_empty()) (void)take(queues);
  EXPECT_TRUE(push(queues, normal));
}

// --- what stands too long ----------------------------------------------------------------

// A queue that a packet enters and another leaves every millisecond, `depth` packets deep.
PacketQueues::Events run_standing(PacketQueues& queues, unsigned depth, Time until) {
  PacketQueues::Events all;
  for (Time now = 1s; now < until; now += 1ms) {
    while (queues.packets() < depth) EXPECT_TRUE(push(queues, normal, usual, now));
    (void)take(queues, now);
    const PacketQueues::Events events = queues.take_events();
    all.too_old += events.too_old;
    all.dropped_aqm += events.dropped_aqm;
    all.marked += events.marked;
  }
  return all;
}

TEST(PacketQueues, AStandingQueueIsThinnedOut) {
  PacketQueues queues{{.bytes = limit}};
  const auto events = run_standing(queues, 50, 3s);
  EXPECT_GT(events.dropped_aqm, 10u);
  EXPECT_EQ(events.marked, 0u);
  EXPECT_EQ(events.too_old, 0u);
  EXPECT_EQ(queues.figures(normal).dropped_aqm, events.dropped_aqm);
  EXPECT_EQ(queues.figures(normal).packets, 2000u);
  EXPECT_EQ(queues.figures(bulk).dropped_aqm, 0u);
}

TEST(PacketQueues, AShortQueueIsLeftAlone) {
  PacketQueues queues{{.bytes = limit}};
  EXPECT_EQ(run_standing(queues, 4, 3s).dropped_aqm, 0u);
}

TEST(PacketQueues, SaysOnceWhatItDid) {
  PacketQueues queues{{.bytes = limit}};
  (void)run_standing(queues, 50, 3s);
  EXPECT_EQ(queues.take_events().dropped_aqm, 0u);
}

Buffer ipv4_packet(unsigned ecn) {
  Buffer packet(60);
  packet[12] = std::byte{0x08};
  packet[14] = std::byte{0x45};
  packet[15] = std::byte(ecn);
  return packet;
}

TEST(PacketQueues, MarksThoseWhoUnderstandAndDropsTheOthers) {
  PacketQueues queues{{.bytes = limit}};
  unsigned marked = 0;
  for (Time now = 1s; now < 3s; now += 1ms) {
    while (queues.packets() < 50) {
      const Buffer packet = ipv4_packet(2);
      const std::array<Bytes, 1> pieces = {Bytes{packet}};
      ASSERT_TRUE(queues.push(normal, BlockKind::ethernet, pieces, now));
    }
    marked += queues.next(now)->bytes[15] == std::byte{3} ? 1 : 0;
    queues.pop(now);
  }
  EXPECT_GT(marked, 10u);
  EXPECT_EQ(queues.figures(normal).marked, marked);
  EXPECT_EQ(queues.figures(normal).dropped_aqm, 0u);
  EXPECT_EQ(queues.take_events().marked, marked);
}

TEST(PacketQueues, TheLastOneAlwaysGoes) {
  PacketQueues queues{{.bytes = limit, .longest = 20ms}};
  for (Time now = 1s; now < 60s; now += 1s) {
    ASSERT_TRUE(push(queues, normal, usual, now - 500ms));
    EXPECT_EQ(take(queues, now), normal);
  }
  EXPECT_EQ(queues.figures(normal).dropped, 0u);
  EXPECT_EQ(queues.figures(normal).dropped_aqm, 0u);
}

TEST(PacketQueues, WhatIsTooOldIsDroppedButTheNewest) {
  PacketQueues queues{{.bytes = limit, .longest = 20ms}};
  for (unsigned i = 0; i < 10; ++i) ASSERT_TRUE(push(queues, bulk, usual, 1s + i * 1ms, i));
  const QueuedBlock* block = queues.next(1s + 25ms);  // 0 to 4 have waited for longer
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block->bytes[0], std::byte{5});
  EXPECT_EQ(queues.take_events().too_old, 5u);
  EXPECT_EQ(queues.figures(bulk).dropped, 5u);
  queues.pop(1s + 25ms);
  block = queues.next(2s);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block->bytes[0], std::byte{9});
  queues.pop(2s);
  EXPECT_TRUE(queues.is_empty());
}

TEST(PacketQueues, WhatIsDiscardedDidNotGoOn) {
  PacketQueues queues{{.bytes = limit}};
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(push(queues, video));
  ASSERT_NE(queues.next(2s), nullptr);
  queues.discard();
  EXPECT_EQ(queues.figures(video).dropped, 1u);
  EXPECT_EQ(queues.figures(video).packets, 0u);
  EXPECT_EQ(queues.delays(video, 2s).p99, 0s);
  EXPECT_EQ(take(queues, 2s), video);
  EXPECT_EQ(queues.figures(video).packets, 1u);
  queues.forget_figures();
  EXPECT_EQ(queues.figures(video).packets, 0u);
  EXPECT_EQ(queues.figures(video).dropped, 0u);
}

TEST(PacketQueues, TheBooksBalance) {
  PacketQueues queues{{.bytes = limit, .longest = 60ms}};
  std::uint64_t pushed = 0;
  std::uint64_t refused = 0;
  for (Time now = 1s; now < 4s; now += 1ms) {
    for (const PacketClass of : all_classes) {
      ++pushed;
      if (!push(queues, of, usual, now)) ++refused;
    }
    if (queues.next(now) != nullptr) queues.pop(now);
  }
  const auto events = queues.take_events();
  std::uint64_t went = 0;
  std::uint64_t dropped = 0;
  for (const PacketClass of : all_classes) {
    went += queues.figures(of).packets;
    dropped += queues.figures(of).dropped + queues.figures(of).dropped_aqm;
  }
  EXPECT_EQ(dropped, refused + events.too_old + events.dropped_aqm);
  EXPECT_EQ(pushed, went + dropped + queues.packets());
  EXPECT_GT(events.too_old, 0u);
  EXPECT_GT(events.dropped_aqm, 0u);
}

TEST(PacketQueues, WipeLeavesNothing) {
  PacketQueues queues{{.bytes = limit}};
  Bytes was;
  for (const PacketClass of : all_classes) ASSERT_TRUE(push(queues, of, usual, 1s, 0xa5));
  was = queues.next(1s)->bytes;
  queues.wipe();
  EXPECT_TRUE(queues.is_empty());
  EXPECT_EQ(queues.next(1s), nullptr);
  EXPECT_TRUE(std::ranges::all_of(was, [](std::byte b) { return b == std::byte{0}; }));
  EXPECT_TRUE(push(queues, voice));
  EXPECT_EQ(take(queues), voice);
}

}  // namespace
}  // namespace penstock
