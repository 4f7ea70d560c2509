#include "dataplane/control/lane_watch.hpp"

#include <algorithm>
#include <utility>

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;

constexpr Time look_every = 1s;

bool is_current(const SessionRecord& record) {
  return record.was_confirmed && std::ranges::all_of(record.shares, [](const auto& share) {
           return share->state() == ipc::SessionState::current;
         });
}

Time last_good(const SessionRecord& record) {
  std::int64_t last = 0;
  for (const auto& share : record.shares)
    last = std::max(last, share->progress.last_good.load(std::memory_order_relaxed));
  return Time{last};
}

// A lane that was silent is so until it is heard; another when it says nothing for too long.
LaneSet silent_lanes(const SessionRecord& record, Time after, Time now) {
  LaneSet silent = 0;
  for (const auto& share : record.shares)
    for (std::size_t i = 0; i < share->ears.size(); ++i) {
      const LaneSet lane = LaneSet{1} << share->in[i].spi.lane();
      const Time heard{share->ears[i].at.load(std::memory_order_relaxed)};
      const bool was_silent = (record.lanes.silent & lane) != 0;
      const Time since = was_silent ? heard : std::max(heard, record.lanes.since);
      if (now >= since + after) silent |= lane;
    }
  return silent;
}

}  // namespace

void LaneWatch::watch(unsigned lanes_in, Time now) {
  if (lanes_in > 1) due_ = std::min(due_, now + look_every);
}

std::vector<const SessionRecord*> LaneWatch::look(
    std::span<const std::unique_ptr<SessionRecord>> sessions, Time now) {
  std::vector<const SessionRecord*> turned;
  due_ = Time::max();
  for (const auto& record : sessions) {
    // One lane is no worse than others; but what was told of the session before it has to end.
    if (record->info.lanes_in <= 1 && !silent_.contains(record->info.link)) continue;
    due_ = now + look_every;
    if (is_current(*record) && judge(*record, now)) turned.push_back(record.get());
  }
  return turned;
}

// Whether its silent lanes are others now.
bool LaneWatch::judge(SessionRecord& record, Time now) {
  LanesHeard& lanes = record.lanes;
  const Time dead_after = record.shares.front()->dead_after;
  if (dead_after == Time{}) return false;
  if (!std::exchange(lanes.is_watched, true)) {
    lanes.since = now;
    if (const auto before = silent_.find(record.info.link); before != silent_.end())
      lanes.silent = before->second;
  }
  // While nothing comes at all, no lane is worse than the others; nor is the one that is heard last
  // when that is over.
  if (now >= last_good(record) + dead_after) lanes.since = now;
  const LaneSet silent = silent_lanes(record, dead_after + patience, now);
  if (std::exchange(lanes.silent, silent) == silent) return false;
  if (silent == 0)
    silent_.erase(record.info.link);
  else
    silent_[record.info.link] = silent;
  return true;
}

void LaneWatch::forget(const SessionRecord& record) {
  if (is_current(record)) silent_.erase(record.info.link);
}

}  // namespace penstock::dataplane
