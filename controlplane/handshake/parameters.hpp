// What a site wants of a session: the 128 bytes inside sealed_I and sealed_R, and the rule by
// which both sites compute the session from the two of them (docs/protocol.md section 4).
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>

#include "penstock/base/limits.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/wire/frame.hpp"

#include "controlplane/handshake/identity.hpp"
#include "controlplane/handshake/refusal.hpp"

namespace penstock::controlplane {

inline constexpr std::size_t parameters_size = 128;
using ParameterBytes = std::array<std::byte, parameters_size>;

struct Parameters {
  static constexpr std::uint8_t takes_offload_flag = 0x01;

  Refusal reason = Refusal::none;
  std::uint8_t flags = 0;
  std::uint8_t tag = limits::default_tag;
  std::uint8_t min_tag = limits::default_tag;
  Spi spi_base;                           // where this site receives
  std::uint16_t frame_size = 0;           // the largest it can send and receive
  std::uint16_t lanes = 1;                // on which it sends
  std::uint8_t shaping = 0;               // ShapeMode
  std::optional<IdentityProof> identity;  // on the wire a flag says whether there is one

  [[nodiscard]] bool takes_offload() const { return (flags & takes_offload_flag) != 0; }
  bool operator==(const Parameters&) const = default;
};

[[nodiscard]] ParameterBytes write_parameters(const Parameters& parameters);
[[nodiscard]] Parameters read_parameters(std::span<const std::byte, parameters_size> bytes);

// What a site says once the suite is chosen: its tag is the nearest that the protection has to
// what the config asks for. A min_tag beyond it stays, and no session is made.
[[nodiscard]] Parameters fitted(Parameters parameters, Protection protection);

// The two sites' common frame; the same on both sides. Identities are not looked at.
[[nodiscard]] std::expected<FrameShape, Refusal> agree(const Parameters& own,
                                                       const Parameters& peer,
                                                       Protection protection);

}  // namespace penstock::controlplane
