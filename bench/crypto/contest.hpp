// Ways of sealing or opening that take turns, a pass over the whole frame pool each.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "bench/common/turns.hpp"
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

// Its seconds and cycles are a frame's.
class Contest : public Turns {
 public:
  // All passes work on `pool`, which outlives the contest, as far as whole batches fill it.
  Contest(FramePool& pool, std::size_t batch);

  std::size_t add(Way way);

 private:
  [[nodiscard]] double seconds_of_pass(const Way& way);

  FramePool& pool_;
  Frames frames_;
};

}  // namespace penstock::bench
