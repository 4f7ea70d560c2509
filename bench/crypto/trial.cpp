#include "trial.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "penstock/base/check.hpp"
#include "raw_ways.hpp"

namespace penstock::bench {
namespace {

Way engine_way(Sas& sas, const char* name, const Trial& trial, const FramePool& received) {
  Way way = trial.direction == Direction::seal ? sas.seal(name, trial.batch)
                                               : sas.open(name, trial.batch);
  if (trial.direction == Direction::open) way.received = &received;
  return way;
}

bool is_equal(const FramePool& a, const FramePool& b, Frames frames, bool with_tags) {
  const std::size_t length = a.shape().size - (with_tags ? 0 : a.shape().tag);
  for (std::size_t i = 0; i < frames.size(); ++i)
    if (std::memcmp(a.frames()[i], b.frames()[i], length) != 0) return false;
  return true;
}

void check_agreement(const Trial& trial, Rig& rig, const std::vector<Way>& raw) {
  const FrameShape shape = shape_of(trial.protection, trial.frame_bytes);
  const FramePool fresh{shape};
  FramePool ours{shape};
  FramePool theirs{shape};
  const bool seals = trial.direction == Direction::seal;
  const Frames frames = ours.frames().first(ours.frames().size() / trial.batch * trial.batch);
  Sas sas{rig.engine, trial.protection, shape, 1};
  sas.seal_all(ours);
  FramePool sealed{shape};
  sealed.copy_from(ours);
  if (!seals) sas.open("", trial.batch).pass(frames);
  for (const Way& way : raw) {
    theirs.copy_from(seals ? fresh : sealed);
    way.pass(theirs.frames().first(frames.size()));
    check(is_equal(ours, theirs, frames, seals), "engine and bare calls disagree");
  }
}

void compare_with_raw(const Contest& contest, const Trial& trial, std::vector<std::size_t> raw,
                      Row& row) {
  if (raw.empty()) return;
  const std::size_t best = contest.fastest(raw);
  row.best = contest.name(best);
  row.ratio_to_best = contest.ratio(0, best);
  row.ratio_to_raw = is_aead(trial.protection) ? row.ratio_to_best : contest.ratio(0, raw[0]);
  if (!is_aead(trial.protection)) row.ratio_to_chained = contest.ratio(0, raw[1]);
}

}  // namespace

Row measured(const Contest& contest, std::size_t way, const Trial& trial) {
  const double bytes = trial.frame_bytes;
  Row row{.name = trial.name,
          .suite = trial.protection,
          .direction = trial.direction,
          .frame_bytes = trial.frame_bytes,
          .batch = trial.batch,
          .sas = trial.sas,
          .gbit_per_s = bytes * 8 / contest.seconds(way) / 1e9,
          .cycles_per_byte = contest.cycles(way) / bytes};
  for (std::size_t i = 0; i < contest.size(); ++i)
    row.nanoseconds.emplace_back(contest.name(i), contest.seconds(i) * 1e9);
  return row;
}

Row run_trial(const Trial& trial, Rig& rig) {
  const FrameShape shape = shape_of(trial.protection, trial.frame_bytes);
  FramePool pool{shape};
  FramePool received{shape};
  FramePool received_of_one{shape};
  Sas sas{rig.engine, trial.protection, shape, trial.sas};
  Sas one{rig.engine, trial.protection, shape, 1};
  if (trial.direction == Direction::open) {
    sas.seal_all(received);
    one.seal_all(received_of_one);
  }
  std::vector<Manager> managers = rig.managers;
  // The fewer ways there are, the nearer in time are the two that many SAs are about.
  if (trial.sas > 1) managers.resize(1);
  auto raw_calls = raw_ways(managers, trial.protection, shape, trial.direction, trial.batch);
  check_agreement(trial, rig, raw_calls);

  Contest contest{pool, trial.batch};
  contest.add(engine_way(sas, "engine", trial, received));
  std::vector<std::size_t> raw;
  for (Way& way : raw_calls) {
    if (trial.direction == Direction::open) way.received = &received;
    raw.push_back(contest.add(std::move(way)));
  }
  if (trial.sas > 1) contest.add(engine_way(one, "engine-one-sa", trial, received_of_one));
  contest.run(trial.budget);

  Row row = measured(contest, 0, trial);
  row.preferred_batch = rig.engine.plan.preferred_batch(trial.protection);
  compare_with_raw(contest, trial, raw, row);
  if (trial.sas > 1) row.ratio_to_one_sa = contest.ratio(0, contest.size() - 1);
  return row;
}

}  // namespace penstock::bench
