// A Reassembler against the model of it: frames that a peer with the key made up, under any
// numbers.
#include "reassembler_model.hpp"

#include <deque>
#include <random>

#include <gtest/gtest.h>

#include "penstock/link/reassembler.hpp"
#include "recording_sink.hpp"

namespace penstock {
namespace {

using namespace test;

constexpr std::uint64_t wait = 50;
constexpr std::uint8_t kinds[] = {1, 2, 4, 5, 6};  // not large TCP packets; two are unknown

class Pair {
 public:
  explicit Pair(std::uint32_t seed)
      : random_(seed),
        budget_{.limit = static_cast<std::uint32_t>(between(0, 1) == 0 ? between(0, 20) : 1000)},
        model_(budget_.limit, wait) {}

  void run() {
    for (int step = 0; step < 120; ++step) {
      switch (between(0, 15)) {
        case 0:
          now_ += between(0, 2 * wait);
          expire();
          break;
        case 1:
          reassembler_.flush(sink_);
          model_.flush();
          break;
        default:
          now_ += between(0, 3);
          expire();
          accept();
      }
      compare();
    }
  }

 private:
  std::size_t between(std::size_t low, std::size_t high) {
    return low + random_() % (high - low + 1);
  }

  void expire() {
    reassembler_.expire(now_, sink_);
    model_.expire(now_);
  }
  void accept() {
    const std::uint64_t number = choose_number();
    frames_.push_back(make_plaintext());
    reassembler_.accept({number}, frames_.back(), &frames_.back(), now_, sink_);
    model_.accept(number, frames_.back(), now_);
  }
  std::uint64_t choose_number() {
    if (between(0, 60) == 0) number_ += between(100, 400);
    if (between(0, 3) == 0) return number_ + between(0, 8) - std::min<std::uint64_t>(number_, 4);
    return number_++;
  }

  // Mostly what a packer makes; sometimes with a lie in it, sometimes no sense at all.
  Buffer make_plaintext() {
    Buffer plaintext(between(0, 30) == 0 ? between(0, 8) : 40, std::byte{});
    if (plaintext.size() < 8) return plaintext;
    const std::size_t payload = plaintext.size() - 4;
    std::size_t at = std::min(left_, payload);
    store_be16(plaintext.data(),
               static_cast<std::uint16_t>(payload - at < 4 && at < payload ? payload : at));
    left_ -= at;
    while (payload - at >= 4 && between(0, 5) != 0) {
      left_ = between(0, 9) == 0 ? between(0, 200) : between(0, 20);
      store_u8(&plaintext[4 + at], kinds[between(0, between(0, 9) == 0 ? 4 : 2)]);
      store_be24(&plaintext[5 + at], static_cast<std::uint32_t>(left_));
      at += 4;
      const std::size_t part = std::min(left_, payload - at);
      for (std::size_t i = 0; i < part; ++i)
        plaintext[4 + at + i] = static_cast<std::byte>(random_());
      left_ -= part;
      at += part;
    }
    if (between(0, 9) == 0)
      plaintext[between(0, plaintext.size() - 1)] = static_cast<std::byte>(random_());
    return plaintext;
  }

  void compare() {
    ASSERT_EQ(budget_.held, model_.held());
    if (model_.reader.is_unsure) return;
    ASSERT_EQ(sink_.blocks.size(), model_.reader.blocks.size());
    for (; seen_ < sink_.blocks.size(); ++seen_) {
      ASSERT_EQ(sink_.blocks[seen_].kind, model_.reader.blocks[seen_].first);
      ASSERT_EQ(sink_.blocks[seen_].bytes, model_.reader.blocks[seen_].second);
    }
    for (std::size_t fault = 0; fault < model_.reader.faults.size(); ++fault)
      ASSERT_EQ(static_cast<std::size_t>(sink_.count(static_cast<ReassemblyFault>(fault))),
                model_.reader.faults[fault])
          << fault;
  }

  std::mt19937 random_;
  HeldBudget budget_;
  Reassembler reassembler_{budget_, wait};
  ReassemblerModel model_;
  RecordingSink sink_;
  std::deque<Buffer> frames_;
  std::size_t seen_ = 0;
  std::size_t left_ = 0;  // of the block that the last frame began
  std::uint64_t number_ = 0;
  std::uint64_t now_ = 0;
};

TEST(ReassemblerModel, AgreesWithTheReassemblerOverWhateverAPeerMaySend) {
  for (std::uint32_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Pair(seed).run();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace penstock
