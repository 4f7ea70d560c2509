// The public half of a site's identity, as operators carry it from one config to the other.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace penstock {

// An Ed25519 public key (RFC 8032).
struct IdentityPublic {
  static constexpr std::size_t size = 32;
  std::array<std::byte, size> bytes{};
  bool operator==(const IdentityPublic&) const = default;
};

// "ed25519:" and the key in base64; what stands behind the colon is the end of the line that
// `openssl pkey -pubout` prints (RFC 8410).
[[nodiscard]] std::string to_text(const IdentityPublic& key);
// Empty when the text is not what to_text makes of a key.
[[nodiscard]] std::optional<IdentityPublic> parse_identity_public(std::string_view text);

}  // namespace penstock
