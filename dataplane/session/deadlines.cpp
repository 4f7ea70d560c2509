#include "dataplane/session/deadlines.hpp"

#include "penstock/base/check.hpp"

namespace penstock::dataplane {
namespace {

std::size_t parent_of(std::size_t place) { return (place - 1) / 2; }

}  // namespace

void Deadlines::set(Session& session, Time due) {
  const Entry entry{.due = due, .session = &session};
  if (session.due_place == Session::nowhere) {
    check(heap_.size() < heap_.capacity(), "the main core refuses more sessions");
    session.due_place = heap_.size();
    heap_.push_back(entry);
    return rise(session.due_place, entry);
  }
  const bool is_sooner = due < heap_[session.due_place].due;
  is_sooner ? rise(session.due_place, entry) : sink(session.due_place, entry);
}

void Deadlines::erase(Session& session) {
  const std::size_t place = session.due_place;
  if (place == Session::nowhere) return;
  session.due_place = Session::nowhere;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (last.session == &session) return;
  const bool is_sooner = place > 0 && last.due < heap_[parent_of(place)].due;
  is_sooner ? rise(place, last) : sink(place, last);
}

void Deadlines::put(std::size_t place, const Entry& entry) {
  heap_[place] = entry;
  entry.session->due_place = place;
}

void Deadlines::rise(std::size_t place, const Entry& entry) {
  while (place > 0 && entry.due < heap_[parent_of(place)].due) {
    put(place, heap_[parent_of(place)]);
    place = parent_of(place);
  }
  put(place, entry);
}

void Deadlines::sink(std::size_t place, const Entry& entry) {
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
