// Items of a worker by when there is something to do for them: a binary heap in which each item
// knows its place, so that thousands of them cost no scan. An item has a member `due_place`,
// written here alone, and stands in one heap at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "penstock/base/check.hpp"
#include "penstock/base/clock.hpp"

namespace penstock::dataplane {

// `due_place` of an item that stands in no heap.
inline constexpr std::size_t not_due = SIZE_MAX;

template <class Item>
class DueHeap {
 public:
  // Allocates for so many items, and never again.
  explicit DueHeap(std::size_t capacity) { heap_.reserve(capacity); }

  // Of the item that is due first; Time::max() if there is none.
  [[nodiscard]] Time first() const { return heap_.empty() ? Time::max() : heap_.front().due; }
  [[nodiscard]] Item* first_item() const { return heap_.front().item; }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  // Puts it in, or moves it.
  void set(Item& item, Time due);
  // Takes it out if it is there.
  void erase(Item& item);

 private:
  struct Entry {
    Time due;
    Item* item;
  };
  static std::size_t parent_of(std::size_t place) { return (place - 1) / 2; }
  void put(std::size_t place, const Entry& entry) {
    heap_[place] = entry;
    entry.item->due_place = place;
  }
  void rise(std::size_t place, const Entry& entry);
  void sink(std::size_t place, const Entry& entry);

  std::vector<Entry> heap_;
};

template <class Item>
void DueHeap<Item>::set(Item& item, Time due) {
  const Entry entry{.due = due, .item = &item};
  if (item.due_place == not_due) {
    check(heap_.size() < heap_.capacity(), "no more items are due than there may be");
    item.due_place = heap_.size();
    heap_.push_back(entry);
    return rise(item.due_place, entry);
  }
  const bool is_sooner = due < heap_[item.due_place].due;
  is_sooner ? rise(item.due_place, entry) : sink(item.due_place, entry);
}

template <class Item>
void DueHeap<Item>::erase(Item& item) {
  const std::size_t place = item.due_place;
  if (place == not_due) return;
  item.due_place = not_due;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (last.item == &item) return;
  const bool is_sooner = place > 0 && last.due < heap_[parent_of(place)].due;
  is_sooner ? rise(place, last) : sink(place, last);
}

template <class Item>
void DueHeap<Item>::rise(std::size_t place, const Entry& entry) {
  while (place > 0 && entry.due < heap_[parent_of(place)].due) {
    put(place, heap_[parent_of(place)]);
    place = parent_of(place);
  }
  put(place, entry);
}

template <class Item>
void DueHeap<Item>::sink(std::size_t place, const Entry& entry) {
  while (true) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].due < heap_[child].due) ++child;
    if (heap_[child].due >= entry.due) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, entry);
}

}  // namespace penstock::dataplane
