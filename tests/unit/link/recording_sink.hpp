// A sink that remembers, for the tests of this folder.
#pragma once

#include <algorithm>
#include <cstddef>
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

// `length` bytes that tell one buffer and one place in it from another.
[[nodiscard]] inline Buffer pattern(std::size_t length, unsigned seed = 0) {
  Buffer bytes(length);
  for (std::size_t i = 0; i < length; ++i) {
    bytes[i] = static_cast<std::byte>(i * 31 + i / 251 + seed * 97 + 1);
  }
  return bytes;
}

}  // namespace penstock::test
