// What a path probe says to the far side, and what that answers: the plaintext of a packet of type
// 6, which begins as a frame's does and holds one control block and zeros. An answer has the
// smallest size that a frame may have, so it is never larger than what it answers.
// Source: docs/protocol.md, "Path probes".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "penstock/base/bytes.hpp"
#include "penstock/base/limits.hpp"

namespace penstock {

inline constexpr std::uint16_t probe_answer_size = limits::min_frame_size;

struct PathProbe {
  bool is_answer = false;
  std::uint64_t id = 0;    // the asking side's, sent back as it is
  std::uint16_t size = 0;  // of the probe: UDP payload, header and tag included
  bool operator==(const PathProbe&) const = default;
};

// Fills all of `plaintext`, which is at least as long as the shortest frame's.
void write_path_probe(MutableBytes plaintext, const PathProbe& probe);
// Empty: it is nothing of the kind.
[[nodiscard]] std::optional<PathProbe> read_path_probe(Bytes plaintext);

}  // namespace penstock
