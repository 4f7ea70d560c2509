// A worker's sessions by when life has something to do for them: a binary heap in which each
// session knows its place, so that thousands of them cost no scan.
#pragma once

#include <cstddef>
#include <vector>

#include "penstock/base/clock.hpp"

#include "dataplane/session/session.hpp"

namespace penstock::dataplane {

class Deadlines {
 public:
  // Allocates for so many sessions, and never again.
  explicit Deadlines(std::size_t capacity) { heap_.reserve(capacity); }

  // Of the session that is due first; Time::max() if there is none.
  [[nodiscard]] Time first() const { return heap_.empty() ? Time::max() : heap_.front().due; }
  [[nodiscard]] Session* first_session() const { return heap_.front().session; }
  // Puts it in, or moves it.
  void set(Session& session, Time due);
  void erase(Session& session);

 private:
  struct Entry {
    Time due;
    Session* session;
  };
  void put(std::size_t place, const Entry& entry);
  void rise(std::size_t place, const Entry& entry);
  void sink(std::size_t place, const Entry& entry);

  std::vector<Entry> heap_;
};

}  // namespace penstock::dataplane
