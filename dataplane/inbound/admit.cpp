// Decides the replay window for frames whose MAC held, in batch order: of two copies in one
// batch one is opened and the other replayed.
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

void believe(Path& path, Session& session, Time now) {
  SessionProgress& progress = session.progress;
  progress.frames_opened.store(progress.frames_opened.load(std::memory_order_relaxed) + 1,
                               std::memory_order_relaxed);
  path.life.good_frame(session, now);
}

}  // namespace

void admit(Path& path, Time now) {
  std::size_t fresh = 0;
  for (std::size_t i = 0; i < path.frame_count; ++i) {
    const Frame frame = path.frames[i];
    const bool is_newest = frame.sequence.value >= frame.sa->window.next();
    if (!is_fresh(path, frame)) continue;
    believe(path, *frame.sa->session, now);
    if (frame.sa->is_followed && is_newest) [[unlikely]]
      follow(path, frame, now);
    path.frames[fresh++] = frame;
  }
  path.frame_count = fresh;
  path.count.add(Counter::frames_opened, fresh);
}

}  // namespace penstock::dataplane::inbound
