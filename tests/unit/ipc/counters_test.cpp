#include "penstock/ipc/counters.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace penstock {
namespace {

bool is_word(std::string_view text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == text.npos;
}

TEST(DropReasons, each_has_a_name_of_its_own_and_a_meaning) {
  std::set<std::string_view> names;
  std::set<std::string_view> meanings;
  for (std::size_t i = 0; i < drop_reason_count; ++i) {
    const DropReasonInfo& row = info(static_cast<DropReason>(i));
    EXPECT_TRUE(is_word(row.name)) << i;
    EXPECT_GT(row.meaning.size(), 10u) << row.name;
    names.insert(row.name);
    meanings.insert(row.meaning);
  }
  EXPECT_EQ(names.size(), drop_reason_count);
  EXPECT_EQ(meanings.size(), drop_reason_count);
}

TEST(DropReasons, stand_in_the_book_that_the_header_says) {
  EXPECT_EQ(info(DropReason::no_session).book, Book::plain);
  EXPECT_EQ(info(DropReason::seal_limit).book, Book::plain);
  EXPECT_EQ(info(DropReason::bad_type).book, Book::frame);
  EXPECT_EQ(info(DropReason::open_limit).book, Book::frame);
  EXPECT_EQ(info(DropReason::no_next_hop).book, Book::emit);
  EXPECT_EQ(info(DropReason::wire_tx_full).book, Book::emit);
  EXPECT_EQ(info(DropReason::bad_offload).book, Book::delivery);
  EXPECT_EQ(info(DropReason::plain_tx_full).book, Book::delivery);
  EXPECT_EQ(info(DropReason::wire_foreign).book, Book::wire);
  EXPECT_EQ(info(DropReason::punt_full).book, Book::wire);
  EXPECT_EQ(info(DropReason::late_frame).book, Book::fault);
  EXPECT_EQ(info(DropReason::wire_kernel_drop).book, Book::fault);
}

TEST(DropReasons, a_number_that_is_none_stops_the_process) {
  EXPECT_DEATH(static_cast<void>(info(DropReason::count_)), "a DropReason");
}

TEST(CounterNames, each_has_one_of_its_own) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < counter_count; ++i) names.insert(name(static_cast<Counter>(i)));
  for (std::size_t i = 0; i < gauge_count; ++i) names.insert(name(static_cast<Gauge>(i)));
  EXPECT_EQ(names.size(), counter_count + gauge_count);
  for (const std::string_view one : names) EXPECT_TRUE(is_word(one)) << one;
  EXPECT_EQ(name(Counter::plain_received), "plain_received");
  EXPECT_EQ(name(Counter::frames_opened), "frames_opened");
  EXPECT_EQ(name(Counter::sleeps), "sleeps");
  EXPECT_EQ(name(Gauge::held_frames), "held_frames");
}

// --- the books ------------------------------------------------------------------

std::uint64_t& at(Counters& counters, Counter counter) {
  return counters.values[static_cast<std::size_t>(counter)];
}
std::uint64_t& at(Counters& counters, Gauge gauge) {
  return counters.gauges[static_cast<std::size_t>(gauge)];
}

TEST(Books, balance_when_nothing_happened) { EXPECT_EQ(unbalanced_book(Counters{}), ""); }

TEST(Books, every_drop_of_a_book_balances_what_was_received) {
  Counters counters;
  for (std::size_t i = 0; i < drop_reason_count; ++i) counters.drops[i] = i + 1;
  const auto sum = [](DropReason first, DropReason last) {
    std::uint64_t total = 0;
    for (auto i = static_cast<std::size_t>(first); i <= static_cast<std::size_t>(last); ++i) {
      total += i + 1;
    }
    return total;
  };
  EXPECT_EQ(unbalanced_book(counters), "plain");
  at(counters, Counter::packed) = 100;
  at(counters, Gauge::held_plain) = 3;
  at(counters, Counter::plain_received) =
      103 + sum(DropReason::no_session, DropReason::wiped_packet);
  EXPECT_EQ(unbalanced_book(counters), "frame");
  at(counters, Counter::frames_opened) = 50;
  at(counters, Gauge::held_frames) = 7;  // opened already: beside the book
  at(counters, Counter::frames_received) = 50 + sum(DropReason::bad_type, DropReason::open_limit);
  EXPECT_EQ(unbalanced_book(counters), "emit");
  at(counters, Counter::frames_sent) = 9;
  at(counters, Gauge::held_sealed) = 4;
  at(counters, Counter::frames_sealed) =
      13 + sum(DropReason::no_next_hop, DropReason::wiped_sealed);
  EXPECT_EQ(unbalanced_book(counters), "delivery");
  at(counters, Counter::delivered) = 8;
  at(counters, Gauge::held_delivery) = 2;
  at(counters, Counter::packets_rebuilt) =
      10 + sum(DropReason::bad_offload, DropReason::plain_tx_full);
  EXPECT_EQ(unbalanced_book(counters), "");
}

}  // namespace
}  // namespace penstock
