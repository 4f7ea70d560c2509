// Large TCP packets, whose segmentation is still to do, through frames of which some are lost: of
// each packet whose headers came, exactly the segments come out that no lost frame touched, byte
// for byte and in order, and the packets around it as if it were any other.
#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "penstock/link/packer.hpp"
#include "penstock/link/reassembler.hpp"
#include "penstock/wire/outer.hpp"
#include "penstock/wire/virtio_net.hpp"
#include "recording_sink.hpp"

namespace penstock {
namespace {

using namespace test;

constexpr std::size_t ahead = limits::virtio_net_header;
constexpr std::size_t tcp = 14 + 20;
constexpr std::size_t headers = ahead + tcp + 20;
constexpr std::size_t gso_size = 1448;

// Its number is its acknowledgement number, and in its payload.
Buffer large_packet(std::uint32_t number, std::size_t payload) {
  Buffer block(headers + payload);
  const VirtioNetHeader offload{.flags = VirtioNetHeader::needs_csum,
                                .gso_type = VirtioNetHeader::gso_tcp4,
                                .gso_size = gso_size,
                                .csum_start = tcp,
                                .csum_offset = 16};
  write_virtio_net(VirtioNetBytes{block.data(), ahead}, offload);
  std::byte* const packet = &block[ahead];
  store_be16(packet + 12, ethertype_ipv4);
  store_be16(packet + 14, 0x4500);
  store_be16(packet + 16, static_cast<std::uint16_t>(40 + payload));
  store_u8(packet + 23, 6);
  store_be32(packet + tcp + 8, number);
  store_u8(packet + tcp + 12, 0x50);
  for (std::size_t i = 0; i < payload; ++i)
    block[headers + i] = static_cast<std::byte>(i * 31 + i / 256 + number * 7);
  return block;
}

struct Sent {
  Buffer block;
  std::vector<std::size_t> frame_of;  // each byte's
};

class Stream {
 public:
  explicit Stream(std::uint64_t seed) : dice_(seed), payload_(between(300, 4000)) {}

  void run() {
    for (std::uint32_t number = 0; number < 6; ++number) {
      add(BlockKind::ethernet, pattern(between(60, 1500), number), nullptr);
      Sent sent{.block = large_packet(number, between(gso_size + 1, 60'000)), .frame_of = {}};
      add(BlockKind::offload_ethernet, sent.block, &sent);
      sent_.push_back(std::move(sent));
    }
    add(BlockKind::ethernet, pattern(3 * payload_, 77), nullptr);
    if (packer_.is_open()) packer_.finish();
    travel();
    compare();
  }

 private:
  std::size_t between(std::size_t low, std::size_t high) {
    return low + dice_() % (high - low + 1);
  }

  void add(BlockKind kind, const Buffer& bytes, Sent* sent) {
    const Bytes pieces[] = {Bytes{bytes}};
    BlockSource block(kind, pieces);
    std::size_t left = bytes.size();
    while (!block.is_done()) {
      if (!packer_.is_open()) {
        frames_.emplace_back(payload_ + frame_layout::prologue, std::byte{0xdd});
        packer_.begin(frames_.back());
      }
      const std::size_t room = packer_.room() - (block.is_started() ? 0 : block_header);
      packer_.append(block);
      const std::size_t put = block.is_started() ? std::min(left, room) : 0;
      left -= put;
      if (sent != nullptr) sent->frame_of.insert(sent->frame_of.end(), put, frames_.size() - 1);
      if (!block.is_done() || packer_.is_full()) packer_.finish();
    }
  }

  // The last frame comes in any case: it ends what is open.
  void travel() {
    const std::size_t loss = between(0, 200);  // of a thousand
    for (std::size_t i = 0; i + 1 < frames_.size(); ++i)
      if (dice_() % 1000 < loss) lost_.insert(i);
    HeldBudget budget{.limit = 10'000};
    Reassembler reassembler(budget, 1000);
    for (std::size_t i = 0; i < frames_.size(); ++i)
      if (!lost_.contains(i)) reassembler.accept({i}, frames_[i], &frames_[i], i, sink_);
    reassembler.flush(sink_);
  }

  void take_segments(const RecordingSink::Block& block) {
    const std::byte* const header = &block.bytes[ahead + tcp];
    const std::uint32_t number = load_be32(header + 8);
    const std::size_t offset = load_be32(header + 4);
    const std::size_t length = block.bytes.size() - headers;
    ASSERT_LT(number, sent_.size());
    const Buffer& whole = sent_[number].block;
    ASSERT_LE(headers + offset + length, whole.size());
    EXPECT_EQ(std::memcmp(&block.bytes[headers], &whole[headers + offset], length), 0);
    for (std::size_t at = offset; at < offset + length; at += gso_size) {
      auto& found = found_[number];
      EXPECT_TRUE(found.empty() || found.back() < at / gso_size);
      found.push_back(at / gso_size);
    }
  }

  [[nodiscard]] bool is_whole(const Sent& sent, std::size_t from, std::size_t to) const {
    for (std::size_t i = from; i < std::min(to, sent.block.size()); ++i)
      if (lost_.contains(sent.frame_of[i])) return false;
    return true;
  }

  [[nodiscard]] std::vector<std::size_t> expected(const Sent& sent) const {
    std::vector<std::size_t> segments;
    if (!is_whole(sent, 0, headers)) return segments;
    for (std::size_t at = headers; at < sent.block.size(); at += gso_size)
      if (is_whole(sent, at, at + gso_size)) segments.push_back((at - headers) / gso_size);
    return segments;
  }

  void compare() {
    for (const auto& block : sink_.blocks)
      if (block.kind == BlockKind::offload_ethernet) take_segments(block);
    for (std::uint32_t number = 0; number < sent_.size(); ++number) {
      const auto all = expected(sent_[number]);
      const auto& found = found_[number];
      ASSERT_TRUE(std::ranges::includes(all, found)) << "packet " << number;
      // With more than 15 holes the rest is given up.
      if (holes(sent_[number]) < 15) {
        EXPECT_EQ(found, all) << "packet " << number;
      }
    }
    EXPECT_EQ(sink_.count(ReassemblyFault::bad_prologue), 0);
    EXPECT_EQ(sink_.count(ReassemblyFault::incomplete) == 0, lost_touches_nothing());
  }

  [[nodiscard]] std::size_t holes(const Sent& sent) const {
    const auto touched = [&](std::size_t frame) {
      return frame >= sent.frame_of.front() && frame <= sent.frame_of.back();
    };
    return static_cast<std::size_t>(std::ranges::count_if(lost_, touched));
  }

  [[nodiscard]] bool lost_touches_nothing() const { return lost_.empty(); }

  std::mt19937_64 dice_;
  std::size_t payload_;
  FramePacker packer_;
  std::deque<Buffer> frames_;
  std::vector<Sent> sent_;
  std::set<std::size_t> lost_;
  RecordingSink sink_;
  std::map<std::uint32_t, std::vector<std::size_t>> found_;
};

TEST(BrokenBlock, TheSegmentsThatNoLossTouchedComeOut) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Stream(seed).run();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace penstock
