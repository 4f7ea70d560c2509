#include "controlplane/pipe/open_flow.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace penstock::controlplane::pipe {
namespace {

// Where the texts of packets stand; `offset` bytes of the first are left out.
struct Runs {
  std::array<iovec, Batch::packets> at;
  std::size_t count = 0;
  std::size_t size = 0;
};
void collect(Batch& batch, std::size_t next, std::size_t end, std::size_t offset, Runs& runs) {
  for (; next < end; ++next, offset = 0) {
    const std::size_t length = batch.lengths[next] - offset;
    runs.at[runs.count++] = {batch.packet(next) + offset, length};
    runs.size += length;
  }
}

}  // namespace

Flow OpenFlow::move(Source& sealed, Sink& plain, PipeKeys& keys, Tools tools) {
  for (unsigned turn = 0; turn < batches_a_turn; ++turn) {
    if (next_ == count_) {
      if (is_bad_) return Flow::bad_packet;
      if (!sealed.is_ready()) return Flow::waiting;
      const Flow filled = fill(sealed, keys, tools);
      if (filled == Flow::closed) plain.close_way();
      if (filled != Flow::again) return filled;
    }
    if (next_ < count_) {
      const Flow flushed = flush(plain, tools);
      if (flushed != Flow::again) return flushed;
    }
  }
  return sealed.is_ready() || is_bad_ ? Flow::again : Flow::waiting;
}

Flow OpenFlow::fill(Source& sealed, PipeKeys& keys, Tools tools) {
  Batch& batch = tools.batches.hand();
  if (part_size_ > 0) std::memcpy(batch.bytes.data(), part_->data(), part_size_);
  const Moved got = sealed.read(std::span{batch.bytes}.subspan(part_size_));
  switch (got.why) {
    case Moved::Why::some:
      open(batch, part_size_ + got.bytes, keys, tools);
      return Flow::again;
    case Moved::Why::blocked:
      return Flow::waiting;
    case Moved::Why::closed:
      return part_size_ > 0 ? Flow::cut_packet : Flow::closed;
    case Moved::Why::broken:
      break;
  }
  return Flow::broken_from;
}

void OpenFlow::open(Batch& batch, std::size_t size, PipeKeys& keys, Tools tools) {
  const std::size_t packets = size / pipe_packet::size;
  part_size_ = size % pipe_packet::size;
  if (part_size_ == 0) part_.reset();
  if (part_size_ > 0) {
    if (part_ == nullptr) part_ = std::make_unique_for_overwrite<Part>();
    std::memcpy(part_->data(), batch.packet(packets), part_size_);
  }
  next_ = count_ = offset_ = 0;
  for (std::size_t first = 0; first < packets && !is_bad_; first += PipeEngine::max_batch) {
    const std::size_t count = std::min(packets - first, PipeEngine::max_batch);
    const std::span lengths = std::span{batch.lengths}.subspan(first, count);
    const std::size_t good = tools.engine.open(keys, batch.packet(first), lengths);
    count_ += good;
    is_bad_ = good < count;
  }
  tools.batches.holds_text(count_ * pipe_packet::size);
}

Flow OpenFlow::flush(Sink& plain, Tools tools) {
  if (kept_ != nullptr && !plain.is_ready()) return Flow::waiting;
  Batch& batch = kept_ != nullptr ? *kept_ : tools.batches.hand();
  Runs runs;
  collect(batch, next_, count_, offset_, runs);
  const Moved put = plain.write(std::span{runs.at}.first(runs.count), runs.size);
  if (put.why == Moved::Why::broken) return Flow::broken_to;
  if (step_over(batch, put.bytes)) {
    if (kept_ != nullptr) tools.batches.give_back(std::move(kept_));
    return Flow::again;
  }
  if (kept_ == nullptr) kept_ = tools.batches.lend(count_ * pipe_packet::size);
  return plain.is_ready() ? Flow::again : Flow::waiting;
}

// Whether all is written.
bool OpenFlow::step_over(const Batch& batch, std::size_t written) {
  while (next_ < count_ && offset_ + written >= batch.lengths[next_]) {
    written -= batch.lengths[next_++] - offset_;
    offset_ = 0;
  }
  if (next_ < count_) offset_ += written;
  return next_ == count_;
}

}  // namespace penstock::controlplane::pipe
