// Who waits until when. All wait equally long, so that the list is in order by itself.
#pragma once

#include <list>
#include <optional>

#include "penstock/base/clock.hpp"

namespace penstock::controlplane::pipe {

class Connection;

class Deadlines {
 public:
  struct Entry {
    Time when;
    Connection* who;
  };
  using Place = std::list<Entry>::iterator;

  // `when` is not before that of any other.
  [[nodiscard]] Place add(Time when, Connection& who) {
    return list_.insert(list_.end(), Entry{when, &who});
  }
  void remove(Place place) { list_.erase(place); }

  [[nodiscard]] std::optional<Time> first() const {
    return list_.empty() ? std::nullopt : std::optional{list_.front().when};
  }
  // Null while the first deadline is to come.
  [[nodiscard]] Connection* late(Time now) const {
    return !list_.empty() && list_.front().when <= now ? list_.front().who : nullptr;
  }

 private:
  std::list<Entry> list_;
};

}  // namespace penstock::controlplane::pipe
