// Numbers the frames of a batch in order, then encrypts and authenticates them together.
// The only place that takes sequence numbers.
#include "penstock/base/check.hpp"
#include "penstock/wire/frame.hpp"

#include "dataplane/outbound/path.hpp"

namespace penstock::dataplane::outbound {
namespace {

SequenceNumber take_sequence(OutboundSa& sa) {
  check(sa.next_sequence < sa.limits.hard_frames, "pack begins no frame past the limit");
  return SequenceNumber{sa.next_sequence++};
}

}  // namespace

void seal(Path& path, Time now) {
  const std::size_t count = path.frames.buffers.size();
  if (count == 0) return;
  std::array<SealJob, FrameEngine::max_batch> jobs;
  for (std::size_t i = 0; i < count; ++i) {
    OutboundSa& sa = *path.frames.sas[i];
    std::byte* frame = frame_in(path.frames.buffers[i]);
    write_frame_header(std::span<std::byte, frame_layout::header>{frame, frame_layout::header},
                       {.spi = sa.spi, .sequence = take_sequence(sa)});
    jobs[i] = {.sa = &sa.cipher, .frame = frame};
    sa.session->last_sealed = now;
    sa.session->progress.frames_sealed.store(sa.next_sequence, std::memory_order_relaxed);
    if (sa.next_sequence >= sa.limits.rekey_frames) [[unlikely]]
      path.outbox.ask_rekey(*sa.session);
  }
  path.engine.seal(std::span{jobs}.first(count));
  path.count.add(Counter::frames_sealed, count);
}

}  // namespace penstock::dataplane::outbound
