#include "overlap.hpp"

#include <algorithm>
#include <memory>

#include "raw_hmac.hpp"

namespace penstock::bench {
namespace {

struct Pair {
  std::shared_ptr<RawHmac> cipher;
  std::shared_ptr<RawHmac> hash;
};

void in_groups(const Pair& pair, Frames frames, std::size_t size) {
  for (; !frames.empty(); frames = frames.subspan(std::min(size, frames.size()))) {
    const Frames group = frames.first(std::min(size, frames.size()));
    pair.cipher->cipher(group);
    pair.hash->hash(group);
  }
}

void jobs_between(const Pair& pair, Frames frames, std::size_t size) {
  pair.cipher->cipher(frames.first(std::min(size, frames.size())));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const std::size_t next = i - i % size + size;
    if (i % size == size / 2 && next < frames.size())
      pair.cipher->cipher(frames.subspan(next, std::min(size, frames.size() - next)));
    pair.hash->submit_hash(frames[i]);
  }
  pair.hash->flush();
}

class Overlap {
 public:
  Overlap(const Trial& trial, Rig& rig)
      : trial_(trial), rig_(rig), shape_(shape_of(trial.protection, trial.frame_bytes)) {}

  Rows run() {
    const auto cipher = make(rig_.managers.front());
    parts_cipher_ = add("cipher", 0, [cipher](Frames frames) { cipher->cipher(frames); });
    for (const Manager& manager : rig_.managers) add_manager({cipher, make(manager)}, manager.name);
    contest_.run(trial_.budget);
    Rows rows;
    for (std::size_t way = 0; way < contest_.size(); ++way) rows.push_back(row(way));
    return rows;
  }

 private:
  std::shared_ptr<RawHmac> make(const Manager& manager) const {
    return std::make_shared<RawHmac>(manager, trial_.protection, shape_, Direction::seal);
  }

  // `hash_part`: which way is the hash alone of what this does; 0 where there is none.
  template <class EachBatch>
  std::size_t add(std::string name, std::size_t hash_part, EachBatch each_batch) {
    parts_hash_.push_back(hash_part);
    return contest_.add(
        {std::move(name), in_batches(trial_.batch, [each_batch](Frames frames, std::size_t) {
           each_batch(frames);
         })});
  }

  void add_manager(const Pair& pair, const std::string& name) {
    const std::size_t part =
        add("hash-" + name, 0, [pair](Frames frames) { pair.hash->hash(frames); });
    const std::size_t chained =
        add("chained-" + name, part, [pair](Frames frames) { pair.hash->chained(frames); });
    if (chained_ == 0) chained_ = chained;
    for (const std::size_t size : {2u, 4u, 8u, 16u, 32u, 64u}) {
      const std::size_t way = add("groups-of-" + std::to_string(size) + "-" + name, part,
                                  [pair, size](Frames frames) { in_groups(pair, frames, size); });
      if (size == 64 && raw_ == 0) raw_ = way;
    }
    for (const std::size_t size : {2u, 4u, 16u})
      add("jobs-between-" + std::to_string(size) + "-" + name, part,
          [pair, size](Frames frames) { jobs_between(pair, frames, size); });
  }

  Row row(std::size_t way) const {
    Row row = measured(contest_, way, trial_);
    row.name += "/" + contest_.name(way);
    row.ratio_to_raw = contest_.ratio(way, raw_);
    row.ratio_to_chained = contest_.ratio(way, chained_);
    if (parts_hash_[way] != 0)
      row.ratio_to_parts = contest_.ratio_to_sum(way, parts_cipher_, parts_hash_[way]);
    return row;
  }

  const Trial& trial_;
  Rig& rig_;
  FrameShape shape_;
  FramePool pool_{shape_};
  Contest contest_{pool_, trial_.batch};
  std::size_t parts_cipher_ = 0;
  std::vector<std::size_t> parts_hash_;  // of each way
  std::size_t raw_ = 0;                  // these two of the best manager
  std::size_t chained_ = 0;
};

}  // namespace

Rows run_overlap(const Trial& trial, Rig& rig) { return Overlap{trial, rig}.run(); }

}  // namespace penstock::bench
