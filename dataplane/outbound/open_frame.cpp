// The open frame of an SA: begun, closed, flushed, or sent for its own sake.
#include "dataplane/outbound/open_frame.hpp"

#include <algorithm>
#include <utility>

#include "penstock/keys/secret.hpp"

namespace penstock::dataplane::outbound {
namespace {

// Without a hold a frame leaves when the plain port runs empty. One link that keeps the port busy
// must not keep the others' frames: each leaves at this age at the latest.
constexpr Time longest_busy = std::chrono::microseconds{200};

// When the open frame leaves if nothing more comes.
Time due_at(const OutboundSa& sa) {
  const Time hold = sa.session->hold;
  return sa.opened_at + (hold != Time{} ? hold : sa.forecast.patience());
}

bool is_due(const OutboundSa& sa, bool ran_empty, Time now) {
  if (sa.session->hold == Time{} && !ran_empty) return now >= sa.opened_at + longest_busy;
  return now >= due_at(sa);
}

void drain(Path& path, Time now) {
  seal(path, now);
  emit(path);
}

}  // namespace

void flush(Path& path, Time now) {
  const bool ran_empty = path.received < burst;
  // From behind: closing one puts the last in its place.
  for (std::size_t i = path.open.all().size(); i > 0 && !path.frames.full(); --i) {
    OutboundSa& sa = *path.open.all()[i - 1];
    if (is_due(sa, ran_empty, now)) close_frame(path, sa);
  }
}

Time flush_deadline(const Path& path) {
  Time deadline = Time::max();
  for (const OutboundSa* sa : path.open.all()) deadline = std::min(deadline, due_at(*sa));
  return deadline;
}

void finish_open(Path& path, OutboundSa& sa, Time now) {
  if (sa.open == nullptr) return;
  close_frame(path, sa);
  drain(path, now);
}

void wipe_open(Path& path, OutboundSa& sa) {
  if (sa.open == nullptr) return;
  wipe({frame_in(sa.open), sa.shape().size});
  path.open.remove(sa);
  rte_pktmbuf_free(std::exchange(sa.open, nullptr));
  path.count.drop(DropReason::wiped_frame);
}

namespace {

void pack_control(Path& path, OutboundSa& sa, Bytes block, Time now) {
  BlockSource source{BlockKind::control, block};
  const std::size_t room = sa.open != nullptr ? sa.packer.room() : 0;
  const std::size_t frames = frames_needed(source.length(), room, sa.shape().payload());
  if (!sa.may_begin(frames) || !path.buffers.ensure(frames)) return;
  while (!source.is_done()) {
    if (sa.open == nullptr) open_frame(path, sa, now);
    sa.packer.append(source);
    if (sa.packer.is_full()) close_frame(path, sa);
    if (path.frames.full()) drain(path, now);
  }
  finish_open(path, sa, now);
  drain(path, now);
}

}  // namespace

void send_control(Path& path, OutboundSa& sa, Bytes block, Time now) {
  if (sa.session->lane != nullptr) return queue_control(path, sa, block, now);
  pack_control(path, sa, block, now);
}

void send_apart(Path& path, OutboundSa& sa, Bytes block, const OuterHeader& way, Time now) {
  if (sa.session->lane != nullptr && sa.session->lane->keeps_apart(sa, block, way)) return;
  finish_open(path, sa, now);
  const OuterHeader usual = std::exchange(sa.outer, way);
  const bool had_next_hop = std::exchange(sa.has_next_hop, true);
  const Time last_sealed = sa.session->last_sealed;
  pack_control(path, sa, block, now);
  sa.outer = usual;
  sa.has_next_hop = had_next_hop;
  // The far side may hear nothing of it: its keepalive is due as before.
  sa.session->last_sealed = last_sealed;
}

void send_dummy(Path& path, OutboundSa& sa, Time now) {
  if (sa.session->lane != nullptr) return queue_dummy(path, sa, now);
  if (sa.open == nullptr) {
    if (!sa.may_begin(1) || !path.buffers.ensure(1)) return;
    open_frame(path, sa, now);
  }
  finish_open(path, sa, now);
}

}  // namespace penstock::dataplane::outbound
