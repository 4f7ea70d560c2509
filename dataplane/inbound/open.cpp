// Verifies the MACs of a batch of frames together and decrypts those that hold, in place. The
// others end here.
#include "dataplane/inbound/path.hpp"

namespace penstock::dataplane::inbound {
namespace {

void refuse(Path& path, const Frame& frame) {
  InboundSa& sa = *frame.sa;
  if (++sa.failed_opens >= sa.max_failed_opens) path.outbox.ask_rekey(*sa.session);
  SessionProgress& progress = sa.session->progress;
  progress.failed_opens.store(progress.failed_opens.load(std::memory_order_relaxed) + 1,
                              std::memory_order_relaxed);
  path.count.drop(DropReason::bad_tag);
  rte_pktmbuf_free(frame.buffer);
}

}  // namespace

void open(Path& path) {
  if (path.frame_count == 0) return;
  std::array<OpenJob, burst> jobs;
  for (std::size_t i = 0; i < path.frame_count; ++i)
    jobs[i] = {.keys = &path.frames[i].sa->keys, .frame = path.frames[i].bytes};
  path.engine.open(std::span{jobs}.first(path.frame_count));

  std::size_t good = 0;
  for (std::size_t i = 0; i < path.frame_count; ++i) {
    if (jobs[i].plaintext.empty()) [[unlikely]] {
      refuse(path, path.frames[i]);
      continue;
    }
    if (good != i) [[unlikely]]
      path.frames[good] = path.frames[i];
    path.frames[good++].plaintext = jobs[i].plaintext;
  }
  path.frame_count = good;
}

}  // namespace penstock::dataplane::inbound
