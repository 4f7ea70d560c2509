// The lines that the impairment box is told, and what it answers.
//
//   set ab|ba|both [NAME=VALUE...]   -> ok            what is not named, does not happen any more
//   counters                         -> {"ab": {"seen": 1, ...}, "ba": {...}}
//   anything else                    -> error: ...
//
// ab: what arrives at the first port. Names as in Settings; times in microseconds.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "path.hpp"

namespace impair {

enum class Directions : std::uint8_t { ab = 1, ba = 2, both = 3 };

struct SetCommand {
  Directions directions = Directions::both;
  Settings settings;
};

// Of a line that begins with "set "; the error says what is wrong with it.
[[nodiscard]] std::expected<SetCommand, std::string> parse_set(std::string_view line);

// What a direction's ports counted, beside its path.
struct PortTally {
  std::uint64_t delivered = 0;
  std::uint64_t refused = 0;         // by the port that was to send them
  std::uint64_t kernel_dropped = 0;  // before the box saw them
};
[[nodiscard]] std::string to_json(const Path& path, const PortTally& ports);

}  // namespace impair
