// A pipe's packets on every engine against OpenSSL, and all that must not be opened.
#include "penstock/crypto/pipe_packets.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "every_engine.hpp"
#include "guarded_frame.hpp"
#include "pipe_by_openssl.hpp"

namespace penstock {
namespace {

// An assignment that swaps would hand the old keys a number that they had already.
static_assert(std::is_nothrow_move_constructible_v<PipeKeys> &&
              !std::is_move_assignable_v<PipeKeys> && !std::is_copy_constructible_v<PipeKeys>);

using Bytestring = std::vector<std::byte>;
using Lengths = std::vector<std::uint16_t>;

class PipePackets : public testing::TestWithParam<EngineVariant> {
 protected:
  void SetUp() override {
    if (!GetParam().runs_here()) GTEST_SKIP() << "this CPU lacks the instructions";
    auto made = PipeEngine::create(plan_of(GetParam()));
    ASSERT_TRUE(made.has_value()) << made.error().message;
    engine_.emplace(std::move(*made));
  }

  PipeEngine& engine() { return *engine_; }
  PipeKeys expanded() { return engine().expand(keys_); }
  std::vector<Text> texts(std::size_t count) {
    std::vector<Text> made;
    for (std::size_t i = 0; i < count; ++i)
      made.push_back(random_text(1 + dice_.below(1024), dice_));
    return made;
  }
  // Numbered from `first`.
  Bytestring by_openssl(const std::vector<Text>& texts, std::uint64_t first = 0) {
    Bytestring packets;
    for (const Text& text : texts) {
      const Packet packet = pipe_packet_by_openssl(keys_, first++, text);
      packets.insert(packets.end(), packet.begin(), packet.end());
    }
    return packets;
  }
  Bytestring sealed(PipeKeys& keys, const std::vector<Text>& texts) {
    Bytestring packets(texts.size() * 1060);
    dice_.fill(packets);  // what stood there before is not sent
    Lengths lengths;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::ranges::copy(texts[i], &packets[i * 1060]);
      lengths.push_back(static_cast<std::uint16_t>(texts[i].size()));
    }
    engine().seal(keys, packets.data(), lengths);
    return packets;
  }
  // The first `good` are opened, and of what stands behind nothing is left.
  void expect_opens(PipeKeys& keys, Bytestring packets, const std::vector<Text>& texts,
                    std::size_t good) {
    Lengths lengths(packets.size() / 1060);
    ASSERT_EQ(engine().open(keys, packets.data(), lengths), good);
    for (std::size_t i = 0; i < good; ++i) {
      ASSERT_EQ(lengths[i], texts[i].size());
      ASSERT_TRUE(std::ranges::equal(Bytes{packets}.subspan(i * 1060, lengths[i]), texts[i])) << i;
    }
    ASSERT_TRUE(is_wiped(Bytes{packets}.subspan(good * 1060)));
  }
  void expect_opens(PipeKeys& keys, Bytestring packets, const std::vector<Text>& texts) {
    expect_opens(keys, std::move(packets), texts, texts.size());
  }
  // After a refusal not even what would have been right.
  void expect_spent(PipeKeys& keys) {
    const std::uint64_t next = keys.next();
    expect_opens(keys, by_openssl({random_text(10, dice_)}, 0), {}, 0);
    expect_opens(keys, by_openssl({random_text(10, dice_)}, 1), {}, 0);
    expect_opens(keys, by_openssl({random_text(10, dice_)}, next), {}, 0);
  }
  static bool is_wiped(Bytes bytes) {
    return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{}; });
  }

  std::optional<PipeEngine> engine_;
  Dice dice_;
  crypto::PipeDirectionKeys keys_ = random_pipe_keys(dice_);
};

INSTANTIATE_TEST_SUITE_P(On, PipePackets, testing::ValuesIn(engine_variants), variant_name);

TEST_P(PipePackets, AreOpenSslsInBatchesOfEverySize) {
  PipeKeys seal = expanded();
  PipeKeys open = expanded();
  std::uint64_t next = 0;
  for (std::size_t count = 0; count <= PipeEngine::max_batch; ++count) {
    const std::vector<Text> some = texts(count);
    const Bytestring expected = by_openssl(some, next);
    ASSERT_EQ(sealed(seal, some), expected) << count;
    expect_opens(open, expected, some);
    next += count;
    ASSERT_EQ(seal.next(), next);
    ASSERT_EQ(open.next(), next);
  }
}

TEST_P(PipePackets, AreOpenSslsOfEveryLength) {
  PipeKeys seal = expanded();
  PipeKeys open = expanded();
  for (std::size_t length = 1; length <= 1024; length += 32) {
    std::vector<Text> some;
    for (std::size_t i = 0; i < 32; ++i) some.push_back(random_text(length + i, dice_));
    const Bytestring expected = by_openssl(some, length - 1);
    ASSERT_EQ(sealed(seal, some), expected) << length;
    expect_opens(open, expected, some);
  }
}

TEST_P(PipePackets, TouchNothingElse) {
  constexpr std::size_t most = 11;  // that a guarded frame has room for
  for (std::size_t count = 1; count <= most; ++count)
    for (const auto guard : {GuardedFrame::Guard::before, GuardedFrame::Guard::after}) {
      const GuardedFrame packets{count * 1060, guard};
      dice_.fill(packets.bytes());
      PipeKeys seal = expanded();
      PipeKeys open = expanded();
      Lengths lengths(count, 1024);
      engine().seal(seal, packets.data(), lengths);
      EXPECT_EQ(engine().open(open, packets.data(), lengths), count);
      EXPECT_TRUE(packets.is_intact_around());
      EXPECT_EQ(engine().open(open, packets.data(), lengths), 0);
      EXPECT_TRUE(packets.is_intact_around());
    }
}

TEST_P(PipePackets, RefuseAnyFlippedByte) {
  const std::vector<Text> one = {random_text(700, dice_)};
  const Bytestring good = by_openssl(one);
  for (std::size_t at = 0; at < good.size(); ++at) {
    PipeKeys open = expanded();
    Bytestring packet = good;
    packet[at] ^= static_cast<std::byte>(1 << dice_.below(8));
    expect_opens(open, packet, {}, 0);
    if (at % 100 == 0) expect_spent(open);
  }
}

TEST_P(PipePackets, StandUpToTheFirstBadOne) {
  for (const std::size_t count : {std::size_t{2}, std::size_t{9}, std::size_t{17}, std::size_t{64}})
    for (std::size_t bad = 0; bad < count; ++bad) {
      const std::vector<Text> some = texts(count);
      Bytestring packets = by_openssl(some);
      packets[bad * 1060 + dice_.below(1060)] ^= std::byte{0x10};
      PipeKeys open = expanded();
      expect_opens(open, packets, some, bad);
      expect_spent(open);
    }
}

TEST_P(PipePackets, AreRefusedOutOfOrder) {
  const std::vector<Text> some = texts(5);
  const Bytestring good = by_openssl(some);
  const auto packet = [&](std::size_t i) { return &good[i * 1060]; };
  const std::vector<std::vector<std::size_t>> orders = {
      {0, 1, 3, 2, 4},  // swapped
      {0, 1, 1, 2, 3},  // repeated
      {0, 1, 3, 4},     // one is missing
  };
  for (const auto& order : orders) {
    Bytestring packets;
    for (const std::size_t i : order) packets.insert(packets.end(), packet(i), packet(i) + 1060);
    PipeKeys open = expanded();
    expect_opens(open, packets, some, 2);
    expect_spent(open);
  }
  PipeKeys open = expanded();
  expect_opens(open, good, some);
  expect_opens(open, good, {}, 0);  // all of them again
}

TEST_P(PipePackets, AreRefusedUnderOtherKeys) {
  const std::vector<Text> one = texts(1);
  crypto::PipeDirectionKeys other = random_pipe_keys(dice_);
  PipeKeys both = engine().expand(other);
  expect_opens(both, by_openssl(one), {}, 0);
  std::ranges::copy(keys_.encrypt.reveal(), other.encrypt.fill().begin());
  PipeKeys mac = engine().expand(other);
  expect_opens(mac, by_openssl(one), {}, 0);
}

TEST_P(PipePackets, AreRefusedWithABadLengthUnderAGoodMac) {
  for (const std::uint32_t length : {0U, 1025U, 1060U, 0x10000U, 0x10001U, 0x80000001U, ~0U})
    for (std::size_t bad = 0; bad < 3; ++bad) {
      const std::vector<Text> some = texts(3);
      Bytestring packets = by_openssl(some);
      const Packet lie = pipe_packet_by_openssl(keys_, bad, random_text(1024, dice_), length);
      std::ranges::copy(lie, &packets[bad * 1060]);
      PipeKeys open = expanded();
      expect_opens(open, packets, some, bad);
      expect_spent(open);
    }
}

TEST_P(PipePackets, LeaveNoKeysBehind) {
  const std::size_t before = secret_memory::usage().bytes_in_use;
  {
    PipeKeys keys = expanded();
    EXPECT_GT(secret_memory::usage().bytes_in_use, before);
    PipeKeys moved = std::move(keys);
    const std::vector<Text> one = texts(1);
    EXPECT_EQ(sealed(moved, one), by_openssl(one));
  }
  EXPECT_EQ(secret_memory::usage().bytes_in_use, before);
}

TEST_P(PipePackets, AreNotSealedWithKeysThatWereMovedAway) {
  PipeKeys keys = expanded();
  const PipeKeys moved = std::move(keys);
  std::vector<std::byte> packet(1060);
  const Lengths lengths{1};
  EXPECT_DEATH(engine().seal(keys, packet.data(), lengths), "moved away");
}

TEST_P(PipePackets, HaveTextThatFits) {
  std::vector<std::byte> packet(1060);
  PipeKeys keys = expanded();
  for (const std::uint16_t length : {std::uint16_t{0}, std::uint16_t{1025}}) {
    const Lengths lengths{length};
    EXPECT_DEATH(engine().seal(keys, packet.data(), lengths), "1 to 1024");
  }
}

}  // namespace
}  // namespace penstock
