// A sink that remembers, for the tests of this folder.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "penstock/link/reassembly_sink.hpp"

namespace penstock::test {

using Buffer = std::vector<std::byte>;

struct RecordingSink {
  struct Block {
    BlockKind kind;
    Buffer bytes;
    const std::byte* at;  // where it lay when it was handed out
  };

  void block(BlockKind kind, Bytes bytes) noexcept {
    blocks.push_back({kind, Buffer(bytes.begin(), bytes.end()), bytes.data()});
  }
  void release(void* frame) noexcept { released.push_back(frame); }
  void fault(ReassemblyFault fault) noexcept { faults.push_back(fault); }

  [[nodiscard]] std::ptrdiff_t count(ReassemblyFault fault) const {
    return std::ranges::count(faults, fault);
  }

  std::vector<Block> blocks;
  std::vector<void*> released;
  std::vector<ReassemblyFault> faults;
};
static_assert(ReassemblySink<RecordingSink>);
static_assert(!LendingSink<RecordingSink>);

// The same of one that lends: frames are Buffers of the test, and spoilt once they were let go.
struct LendingRecorder : RecordingSink {
  bool take(BlockKind kind, std::span<const Bytes> parts, std::size_t length) noexcept {
    if (kind == refused) return false;
    Block block{.kind = kind, .bytes = {}, .at = nullptr};
    for (const Bytes part : parts) block.bytes.insert(block.bytes.end(), part.begin(), part.end());
    is_wrong |= block.bytes.size() != length;
    blocks.push_back(std::move(block));
    ++taken;
    return true;
  }
  // After the reassembler was settled.
  void let_go() {
    for (; gone < released.size(); ++gone)
      std::ranges::fill(*static_cast<Buffer*>(released[gone]), std::byte{0xdd});
  }

  BlockKind refused = BlockKind::control;
  std::size_t taken = 0;
  std::size_t gone = 0;
  bool is_wrong = false;  // a length that was not that of the parts
};
static_assert(LendingSink<LendingRecorder>);

// `length` bytes that tell one buffer and one place in it from another.
[[nodiscard]] inline Buffer pattern(std::size_t length, unsigned seed = 0) {
  Buffer bytes(length);
  for (std::size_t i = 0; i < length; ++i) {
    bytes[i] = static_cast<std::byte>(i * 31 + i / 251 + seed * 97 + 1);
  }
  return bytes;
}

}  // namespace penstock::test
