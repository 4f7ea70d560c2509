// Puts frames into sequence order, SA by SA, and takes the blocks out of them.
#include "penstock/keys/secret.hpp"

#include "dataplane/inbound/deliver.hpp"

namespace penstock::dataplane::inbound {
namespace {

DropReason reason_of(ReassemblyFault fault) {
  switch (fault) {
    case ReassemblyFault::late_frame:
      return DropReason::late_frame;
    case ReassemblyFault::bad_prologue:
      return DropReason::bad_prologue;
    case ReassemblyFault::bad_block:
      return DropReason::bad_block;
    case ReassemblyFault::unknown_kind:
      return DropReason::unknown_kind;
    case ReassemblyFault::incomplete:
      break;
  }
  return DropReason::incomplete_packet;
}

// Frees the frames that were read. What is still open in them is put together before: of the SAs
// of this batch, and of this one.
void settle(Path& path, InboundSa& sa) {
  for (const Frame& frame : std::span{path.frames}.first(path.frame_count))
    frame.sa->reassembler.settle();
  sa.reassembler.settle();
  path.spent.clear();
}

// What the reassembler hands out goes straight on.
struct Sink {
  Path& path;
  InboundSa& sa;
  Time now;
  void enter(Bytes plaintext) noexcept {
    path.read_frame = plaintext.data() - frame_layout::header;
  }
  void block(BlockKind kind, Bytes bytes) noexcept {
    if (!take(kind, std::span{&bytes, 1}, bytes.size())) emit(path, sa, kind, bytes, now);
  }
  bool take(BlockKind kind, std::span<const Bytes> parts, std::size_t length) noexcept {
    return emit_parts(path, sa, kind, parts, length);
  }
  void release(void* frame) noexcept {
    if (path.spent.full()) [[unlikely]]
      settle(path, sa);
    path.spent.push(static_cast<rte_mbuf*>(frame));
  }
  void fault(ReassemblyFault fault) noexcept { path.count.drop(reason_of(fault)); }
};
static_assert(LendingSink<Sink>);

// Reads nothing, and leaves nothing to read.
struct WipingSink {
  Path& path;
  void enter(Bytes) noexcept {}
  void block(BlockKind, Bytes) noexcept {}
  void release(void* frame) noexcept {
    auto* const buffer = static_cast<rte_mbuf*>(frame);
    wipe({static_cast<std::byte*>(buffer->buf_addr), buffer->buf_len});
    rte_pktmbuf_free(buffer);
    path.count.drop(DropReason::wiped_frame);
  }
  void fault(ReassemblyFault) noexcept {}
};
static_assert(ReassemblySink<WipingSink>);

std::uint64_t ticks(Time now) { return static_cast<std::uint64_t>(now.count()); }

Time deadline_of(const InboundSa& sa) {
  return Time{static_cast<Time::rep>(sa.reassembler.deadline())};
}

// An SA stands where its gap was due when it was put in: a gap that is filled leaves a later one,
// and traffic moves nothing here. An SA with a gap holds a frame back, so there are no more of them
// than frames that may be held.
inline void note_gap(Path& path, InboundSa& sa) {
  const bool has_gap = sa.reassembler.has_gap();
  if (has_gap == (sa.due_place != not_due)) [[likely]]
    return;
  has_gap ? path.gaps.set(sa, deadline_of(sa)) : path.gaps.erase(sa);
}

}  // namespace

void reassemble(Path& path, Time now) {
  for (const Frame& frame : std::span{path.frames}.first(path.frame_count)) {
    Sink sink{path, *frame.sa, now};
    frame.sa->reassembler.accept(frame.sequence, frame.plaintext, frame.buffer, ticks(now), sink);
    note_gap(path, *frame.sa);
  }
  if (path.frame_count != 0) settle(path, *path.frames[0].sa);
  path.frame_count = 0;
}

void expire_gaps(Path& path, Time now) {
  while (path.gaps.first() <= now) {
    InboundSa& sa = *path.gaps.first_item();
    Sink sink{path, sa, now};
    sa.reassembler.expire(ticks(now), sink);
    settle(path, sa);
    note_gap(path, sa);
    if (sa.due_place != not_due) path.gaps.set(sa, deadline_of(sa));
  }
  commit(path);
}

void flush(Path& path, Session& session, Time now) {
  for (InboundSa& sa : session.in) {
    Sink sink{path, sa, now};
    sa.reassembler.flush(sink);
    settle(path, sa);
    note_gap(path, sa);
  }
  commit(path);
}

void wipe_held(Path& path, Session& session) {
  WipingSink sink{path};
  for (InboundSa& sa : session.in) {
    sa.reassembler.flush(sink);
    note_gap(path, sa);
    sa.reassembler.wipe();
  }
}

}  // namespace penstock::dataplane::inbound
