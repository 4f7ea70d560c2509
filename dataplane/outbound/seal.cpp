// Numbers the frames of a batch in order, then encrypts and authenticates them together.
// The only place where frames get their sequence numbers.
#include "penstock/base/check.hpp"

#include "dataplane/outbound/path.hpp"

namespace penstock::dataplane::outbound {

void seal(Path& path, Time now) {
  const std::size_t count = path.frames.buffers.size();
  if (count == 0) return;
  std::array<SealJob, FrameEngine::max_batch> jobs;
  for (std::size_t i = 0; i < count; ++i)
    jobs[i] = {.keys = &path.frames.sas[i]->keys, .frame = frame_in(path.frames.buffers[i])};
  path.engine.seal(std::span{jobs}.first(count));

  for (std::size_t i = 0; i < count; ++i) {
    check(jobs[i].is_sealed, "pack begins no frame past the limit");
    if (i + 1 < count && path.frames.sas[i + 1] == path.frames.sas[i]) continue;
    const OutboundSa& sa = *path.frames.sas[i];
    sa.session->last_sealed = now;
    sa.session->progress.frames_sealed.store(sa.keys.next().value, std::memory_order_relaxed);
    if (sa.keys.wants_rekey()) [[unlikely]]
      path.outbox.ask_rekey(*sa.session);
  }
  path.count.add(Counter::frames_sealed, count);
}

}  // namespace penstock::dataplane::outbound
