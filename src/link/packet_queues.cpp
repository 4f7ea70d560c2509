#include "penstock/link/packet_queues.hpp"

#include <algorithm>

#include "penstock/wire/inner_packet.hpp"

namespace penstock {
namespace {

constexpr std::size_t shares = 16;  // of the bound; each class keeps one

// What a class of a round robin may send when its turn comes, in usual packets. Of voice: none.
constexpr std::array<std::int64_t, packet_classes> weights = {0, 6, 3, 1};

constexpr std::int64_t quantum(PacketClass of) {
  return weights[static_cast<std::size_t>(of)] * static_cast<std::int64_t>(Codel::one_packet);
}

constexpr PacketClass behind(PacketClass turn) {
  return turn == PacketClass::bulk ? PacketClass::video
                                   : static_cast<PacketClass>(static_cast<int>(turn) + 1);
}

// The most that one class may have of the bound: all but what the others keep.
std::size_t ring_bytes(std::size_t bytes) {
  return BlockFifo::memory_for(bytes - (packet_classes - 1) * (bytes / shares));
}

std::array<MutableBytes, packet_classes> cut(MutableBytes memory) {
  const std::size_t part = memory.size() / packet_classes;
  return {memory.first(part), memory.subspan(part, part), memory.subspan(2 * part, part),
          memory.subspan(3 * part, part)};
}

}  // namespace

PacketQueues::PacketQueues(const Setup& setup)
    : setup_(setup),
      most_bytes_(setup.bytes),
      memory_(packet_classes * ring_bytes(setup.bytes)),
      queues_{Queue{cut(memory_.bytes())[0]}, Queue{cut(memory_.bytes())[1]},
              Queue{cut(memory_.bytes())[2]}, Queue{cut(memory_.bytes())[3]}} {}

void PacketQueues::set_limits(const Setup& setup) {
  setup_ = setup;
  setup_.bytes = std::min(setup.bytes, most_bytes_);
}

std::size_t PacketQueues::share() const { return setup_.bytes / shares; }

// --- in ---------------------------------------------------------------------------------

bool PacketQueues::has_room(const Queue& queue, std::size_t cost) const {
  const std::size_t wanted = queue.fifo.bytes() + cost;
  if (queue.fifo.is_empty() || wanted <= share()) return true;
  std::size_t beyond = wanted - share();
  for (const Queue& other : queues_)
    if (&other != &queue) beyond += std::max(other.fifo.bytes(), share()) - share();
  return beyond <= setup_.bytes - packet_classes * share();
}

bool PacketQueues::push(PacketClass of, BlockKind kind, std::span<const Bytes> pieces, Time now,
                        std::uint8_t dscp) {
  Queue& queue = this->queue(of);
  std::size_t length = 0;
  for (const Bytes piece : pieces) length += piece.size();
  const BlockNote note{.queued_at = now, .kind = kind, .dscp = dscp};
  if (has_room(queue, BlockFifo::cost(length)) && queue.fifo.push(note, pieces)) return true;
  ++queue.counted.dropped;
  return false;
}

// --- out --------------------------------------------------------------------------------

bool PacketQueues::is_alone(const Queue& queue) const {
  return std::ranges::all_of(
      queues_, [&](const Queue& other) { return &other == &queue || other.fifo.is_empty(); });
}

PacketClass PacketQueues::choose_by_deficit() {
  for (;;) {
    const Queue& here = queue(turn_);
    if (!here.fifo.is_empty()) {
      const std::size_t cost = BlockFifo::cost(here.fifo.front().bytes.size());
      if (here.deficit >= static_cast<std::int64_t>(cost)) return turn_;
    }
    turn_ = behind(turn_);
    if (!queue(turn_).fifo.is_empty()) queue(turn_).deficit += quantum(turn_);
  }
}

PacketClass PacketQueues::choose() {
  const Queue& voice = queue(PacketClass::voice);
  const bool may_lead = voice_ahead_ < std::max(share(), Codel::one_packet) || is_alone(voice);
  if (!voice.fifo.is_empty() && may_lead) return PacketClass::voice;
  return choose_by_deficit();
}

bool PacketQueues::admit_head(Queue& queue, Time now) {
  const BlockFifo::Block head = queue.fifo.front();
  const Time waited = now - head.note.queued_at;
  const bool is_last = queue.fifo.blocks() == 1;
  const std::size_t behind = queue.fifo.bytes() - BlockFifo::cost(head.bytes.size());
  if (waited > setup_.longest && !is_last) {
    ++queue.counted.dropped;
    ++events_.too_old;
    queue.fifo.pop();
    return false;
  }
  const CodelSettings settings{.target = setup_.target, .interval = setup_.interval};
  if (queue.codel.judge(waited, behind, now, settings) == Codel::Verdict::pass) return true;
  if (mark_ce(head.note.kind, head.bytes)) {
    ++queue.counted.marked;
    ++events_.marked;
    return true;
  }
  ++queue.counted.dropped_aqm;
  ++events_.dropped_aqm;
  queue.fifo.pop();
  return false;
}

const QueuedBlock* PacketQueues::next(Time now) {
  while (!next_ && !is_empty()) {
    const PacketClass of = choose();
    Queue& queue = this->queue(of);
    if (!admit_head(queue, now)) continue;
    const BlockFifo::Block head = queue.fifo.front();
    next_ = QueuedBlock{.kind = head.note.kind,
                        .of = of,
                        .bytes = head.bytes,
                        .queued_at = head.note.queued_at,
                        .dscp = head.note.dscp};
  }
  return next_ ? &*next_ : nullptr;
}

void PacketQueues::charge(PacketClass of, std::size_t cost) {
  if (of != PacketClass::voice) {
    voice_ahead_ -= std::min(voice_ahead_, cost);
    Queue& queue = this->queue(of);
    queue.deficit = queue.fifo.is_empty() ? 0 : queue.deficit - static_cast<std::int64_t>(cost);
  } else {
    voice_ahead_ = is_alone(queue(of)) ? 0 : voice_ahead_ + cost;
  }
}

void PacketQueues::pop(Time now) {
  const QueuedBlock block = *std::exchange(next_, std::nullopt);
  Queue& queue = this->queue(block.of);
  const std::size_t cost = BlockFifo::cost(block.bytes.size());
  queue.delays.record(now - block.queued_at, now);
  ++queue.counted.packets;
  queue.fifo.pop();
  charge(block.of, cost);
}

void PacketQueues::discard() {
  const QueuedBlock block = *std::exchange(next_, std::nullopt);
  Queue& queue = this->queue(block.of);
  const std::size_t cost = BlockFifo::cost(block.bytes.size());
  ++queue.counted.dropped;
  queue.fifo.pop();
  charge(block.of, cost);
}

// --- all ---------------------------------------------------------------------------------

std::size_t PacketQueues::packets() const {
  std::size_t all = 0;
  for (const Queue& queue : queues_) all += queue.fifo.blocks();
  return all;
}

std::size_t PacketQueues::bytes() const {
  std::size_t all = 0;
  for (const Queue& queue : queues_) all += queue.fifo.bytes();
  return all;
}

void PacketQueues::wipe() {
  for (Queue& queue : queues_) {
    queue.fifo.wipe();
    queue.codel.rest();
    queue.deficit = 0;
  }
  next_.reset();
  voice_ahead_ = 0;
}

void PacketQueues::forget_figures() {
  for (Queue& queue : queues_) {
    queue.counted = {};
    queue.delays = {};
  }
}

PacketQueues::ClassFigures PacketQueues::figures(PacketClass of) const {
  const Queue& from = queue(of);
  ClassFigures figures = from.counted;
  figures.queued_packets = from.fifo.blocks();
  figures.queued_bytes = from.fifo.bytes();
  return figures;
}

}  // namespace penstock
