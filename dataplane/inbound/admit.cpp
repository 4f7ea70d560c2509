// Decides the replay window for frames whose MAC held, in batch order: of two copies in one
// batch one is opened and the other replayed.
#include <utility>

#include "dataplane/inbound/path.hpp"

namespace penstock::dataplane::inbound {
namespace {

bool is_fresh(Path& path, const Frame& frame) {
  const ReplayVerdict verdict = frame.sa->window.admit(frame.sequence);
  if (verdict == ReplayVerdict::fresh) return true;
  path.count.drop(verdict == ReplayVerdict::replayed ? DropReason::replayed : DropReason::too_old);
  rte_pktmbuf_free(frame.buffer);
  return false;
}

void count_opened(Session& session, std::size_t frames) {
  SessionProgress& progress = session.progress;
  progress.frames_opened.store(progress.frames_opened.load(std::memory_order_relaxed) + frames,
                               std::memory_order_relaxed);
}

// Only of frames that are authentic, and only counted. The mark is not for the packets inside: one
// frame holds parts of many, and it is the frames' sender who can send less (RFC 9347 section 3,
// RFC 6040 section 4.2). Nor is a frame with it dropped: its packets are whole.
void note_mark(Path& path, const Frame& frame) {
  if (frame.is_ce) [[unlikely]]
    path.count.add(Counter::frames_ce);
}

}  // namespace

void admit(Path& path, Time now) {
  std::size_t fresh = 0;
  Session* session = nullptr;
  std::size_t in_a_row = 0;  // of that session
  for (std::size_t i = 0; i < path.frame_count; ++i) {
    const Frame& frame = path.frames[i];
    InboundSa& sa = *frame.sa;
    const std::uint64_t next = sa.window.next();
    if (!is_fresh(path, frame)) continue;
    if (sa.session != session) {
      if (session != nullptr) count_opened(*session, std::exchange(in_a_row, 0));
      session = sa.session;
      // The first says what all in a row do, and may be the one that makes the session current.
      path.life.good_frame(*session, now);
    }
    ++in_a_row;
    note_mark(path, frame);
    if (sa.is_reported) sa.tally.admit(sa.window, next, frame.is_ce, now);
    if (sa.is_followed && frame.sequence.value >= next) [[unlikely]]
      follow(path, frame, now);
    if (fresh != i) [[unlikely]]
      path.frames[fresh] = frame;
    ++fresh;
  }
  if (session != nullptr) count_opened(*session, in_a_row);
  path.frame_count = fresh;
  path.count.add(Counter::frames_opened, fresh);
}

}  // namespace penstock::dataplane::inbound
