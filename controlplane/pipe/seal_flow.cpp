#include "controlplane/pipe/seal_flow.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace penstock::controlplane::pipe {
namespace {

// Seals `size` bytes of text that stand in the packets' texts, one behind the other. How many
// packets that made.
std::size_t seal(Batch& batch, std::size_t size, PipeKeys& keys, PipeEngine& engine) {
  std::size_t packets = 0;
  for (; size > 0; ++packets) {
    const std::size_t length = std::min(size, pipe_packet::text);
    batch.lengths[packets] = static_cast<std::uint16_t>(length);
    size -= length;
  }
  for (std::size_t first = 0; first < packets; first += PipeEngine::max_batch) {
    const std::size_t count = std::min(packets - first, PipeEngine::max_batch);
    engine.seal(keys, batch.packet(first), std::span{batch.lengths}.subspan(first, count));
  }
  return packets;
}

}  // namespace

Flow SealFlow::move(Source& plain, Sink& sealed, PipeKeys& keys, Tools tools) {
  for (unsigned turn = 0; turn < batches_a_turn; ++turn) {
    if (begin_ == end_) {
      if (!plain.is_ready()) return Flow::waiting;
      const Flow filled = fill(plain, keys, tools);
      if (filled == Flow::closed) sealed.close_way();
      if (filled != Flow::again) return filled;
    }
    const Flow flushed = flush(sealed, tools);
    if (flushed != Flow::again) return flushed;
  }
  return plain.is_ready() ? Flow::again : Flow::waiting;
}

Flow SealFlow::fill(Source& plain, PipeKeys& keys, Tools tools) {
  Batch& batch = tools.batches.hand();
  std::array<iovec, Batch::packets> texts;
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = {batch.packet(i), pipe_packet::text};
  const Moved got = plain.read(texts, Batch::packets * pipe_packet::text);
  switch (got.why) {
    case Moved::Why::some:
      begin_ = 0;
      end_ = seal(batch, got.bytes, keys, tools.engine) * pipe_packet::size;
      return Flow::again;
    case Moved::Why::blocked:
      return Flow::waiting;
    case Moved::Why::closed:
      return Flow::closed;
    case Moved::Why::broken:
      break;
  }
  return Flow::broken_from;
}

Flow SealFlow::flush(Sink& sealed, Tools tools) {
  if (kept_ != nullptr && !sealed.is_ready()) return Flow::waiting;
  Batch& batch = kept_ != nullptr ? *kept_ : tools.batches.hand();
  const Moved put = sealed.write(std::span{batch.bytes}.subspan(begin_, end_ - begin_));
  if (put.why == Moved::Why::broken) return Flow::broken_to;
  begin_ += put.bytes;
  if (begin_ == end_) {
    if (kept_ != nullptr) tools.batches.give_back(std::move(kept_));
    return Flow::again;
  }
  if (kept_ == nullptr) kept_ = tools.batches.lend(end_);
  return sealed.is_ready() ? Flow::again : Flow::waiting;
}

}  // namespace penstock::controlplane::pipe
