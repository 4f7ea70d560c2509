// Ways of doing the same work, timed against each other. On a machine that is shared, what a
// way costs changes from one millisecond to the next; what it costs beside another does not.
// So the ways take turns, a pass over the whole frame pool each, and a ratio is the median of
// the ratios within each round. Time is the thread's own: what others run meanwhile on the same
// core does not count.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "frame_pool.hpp"

namespace penstock::bench {

enum class Direction : bool { seal, open };

struct Way {
  std::string name;
  std::function<void(Frames)> pass;     // over that many whole batches
  const FramePool* received = nullptr;  // what each pass starts with; null: what the last left
};

// A pass that calls each_batch(frames of the batch, position of the first) batch by batch.
template <class EachBatch>
[[nodiscard]] std::function<void(Frames)> in_batches(std::size_t batch, EachBatch each_batch) {
  return [batch, each_batch = std::move(each_batch)](Frames frames) {
    for (std::size_t first = 0; first < frames.size(); first += batch)
      each_batch(frames.subspan(first, batch), first);
  };
}

class Contest {
 public:
  // All passes work on `pool`, which outlives the contest, as far as whole batches fill it.
  Contest(FramePool& pool, std::size_t batch);

  std::size_t add(Way way);
  // Rounds until `budget` is spent, after one to warm up.
  void run(std::chrono::milliseconds budget);

  [[nodiscard]] std::size_t size() const { return ways_.size(); }
  [[nodiscard]] const std::string& name(std::size_t way) const { return ways_[way].name; }
  // Medians, of a frame.
  [[nodiscard]] double seconds(std::size_t way) const;
  [[nodiscard]] double cycles(std::size_t way) const;  // of the time stamp counter
  // The speed of one way over that of another; of both that of another together.
  [[nodiscard]] double ratio(std::size_t way, std::size_t other) const;
  [[nodiscard]] double ratio_to_sum(std::size_t way, std::size_t one, std::size_t two) const;
  // The way, of several, with the smallest median.
  [[nodiscard]] std::size_t fastest(const std::vector<std::size_t>& ways) const;

 private:
  void run_round(std::size_t round);
  [[nodiscard]] double seconds_of_pass(const Way& way);

  FramePool& pool_;
  Frames frames_;
  std::vector<Way> ways_;
  std::vector<std::vector<double>> passes_;  // of each way, one a round: seconds a frame
};

}  // namespace penstock::bench
