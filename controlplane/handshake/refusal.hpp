// Why one site refuses a session to the other: the reason byte of messages 2 and 4
// (docs/protocol.md section 5).
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::controlplane {

enum class Refusal : std::uint8_t {
  none = 0,
  suite = 1,
  version = 2,
  tag = 3,
  parameters = 4,
  shaping = 5,
  identity = 6,
};

// What the operator reads after "refused: ".
[[nodiscard]] std::string_view to_string(Refusal refusal);

}  // namespace penstock::controlplane
