#include "dataplane/session/due_heap.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include <gtest/gtest.h>

namespace penstock::dataplane {
namespace {

struct Item {
  std::size_t due_place = not_due;
};

TEST(DueHeap, none_is_never) {
  DueHeap<Item> heap{4};
  EXPECT_EQ(heap.first(), Time::max());
  Item item;
  heap.erase(item);  // it is not there
  EXPECT_EQ(heap.first(), Time::max());
}

// Against a map, which knows all of them.
TEST(DueHeap, the_first_is_the_first_whatever_is_put_in_moved_or_taken_out) {
  constexpr std::size_t capacity = 300;
  DueHeap<Item> heap{capacity};
  std::deque<Item> items(capacity);
  std::map<Item*, Time> known;
  std::mt19937 chance{1};  // NOLINT(cert-msc51-cpp): the same every time
  for (int step = 0; step < 100'000; ++step) {
    Item& item = items[chance() % capacity];
    if (chance() % 3 == 0) {
      heap.erase(item);
      known.erase(&item);
    } else {
      const Time due{chance() % 1000};
      heap.set(item, due);
      known[&item] = due;
    }
    const auto first =
        std::ranges::min_element(known, {}, [](const auto& entry) { return entry.second; });
    ASSERT_EQ(heap.first(), first == known.end() ? Time::max() : first->second);
    if (!known.empty()) {
      ASSERT_EQ(known.at(heap.first_item()), first->second);
    }
  }
}

TEST(DueHeap, more_items_than_there_may_be_stop_the_process) {
  DueHeap<Item> heap{1};
  Item first;
  Item second;
  heap.set(first, {});
  EXPECT_DEATH(heap.set(second, {}), "than there may be");
}

}  // namespace
}  // namespace penstock::dataplane
