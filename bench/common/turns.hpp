// Ways of doing the same work, timed against each other. On a machine that is shared, what a
// way costs changes from one millisecond to the next; what it costs beside another does not.
// So the ways take turns, and a ratio is the median of the ratios within each round. Time is the
// thread's own: what others run meanwhile on the same core does not count.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace penstock::bench {

// Of this thread, spent on a CPU.
[[nodiscard]] double thread_seconds();

// Of the time stamp counter.
[[nodiscard]] double cycles_per_second();

// The thread's seconds that `work` takes.
template <class Work>
[[nodiscard]] double seconds_of(Work&& work) {
  const double start = thread_seconds();
  std::forward<Work>(work)();
  return thread_seconds() - start;
}

class Turns {
 public:
  // Works once through something and returns the thread's seconds that a piece of it took:
  // what has to be made ready for it need not count.
  using Pass = std::function<double()>;

  std::size_t add(std::string name, Pass pass);
  // Rounds until `budget` is spent, after one to warm up.
  void run(std::chrono::milliseconds budget);

  [[nodiscard]] std::size_t size() const { return ways_.size(); }
  [[nodiscard]] const std::string& name(std::size_t way) const { return ways_[way].name; }
  // Medians, of a piece.
  [[nodiscard]] double seconds(std::size_t way) const;
  [[nodiscard]] double cycles(std::size_t way) const;  // of the time stamp counter
  // The speed of one way over that of another; of both that of another together.
  [[nodiscard]] double ratio(std::size_t way, std::size_t other) const;
  [[nodiscard]] double ratio_to_sum(std::size_t way, std::size_t one, std::size_t two) const;
  // Of one way without another that is a part of it; and the speed of that over a third's.
  [[nodiscard]] double seconds_without(std::size_t way, std::size_t part) const;
  [[nodiscard]] double ratio_without(std::size_t way, std::size_t part, std::size_t other) const;
  // What a piece of `other` costs over one of `way`, each a way and the part that does not count.
  struct Rest {
    std::size_t way;
    std::size_t part;
  };
  [[nodiscard]] double cost_without(Rest way, Rest other) const;
  // The way, of several, with the smallest median.
  [[nodiscard]] std::size_t fastest(const std::vector<std::size_t>& ways) const;

 private:
  struct Entry {
    std::string name;
    Pass pass;
    std::vector<double> seconds;  // a piece, one a round
  };

  void run_round(std::size_t round);
  [[nodiscard]] double rest(std::size_t round, Rest of) const {
    return ways_[of.way].seconds[round] - ways_[of.part].seconds[round];
  }

  std::vector<Entry> ways_;
};

}  // namespace penstock::bench
