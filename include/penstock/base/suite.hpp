// A suite is a key exchange and a protection (cipher and MAC), negotiated by the
// handshake and written like "X25519-AES256_CTR-SHA256".
// The numbers are the ones that travel in handshake messages.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock {

enum class KeyExchange : std::uint8_t {
  x25519 = 1,    // RFC 7748
  modp2048 = 4,  // RFC 3526 group 14, spiped's
};

enum class Protection : std::uint8_t {
  aes256_ctr_sha256 = 1,  // SP 800-38A CTR, RFC 2104 and FIPS 180-4, encrypt then MAC
};

struct Suite {
  KeyExchange key_exchange{};
  Protection protection{};

  // be16 on the wire: key exchange, then protection. 0 means "none, refused".
  [[nodiscard]] constexpr std::uint16_t code() const {
    return static_cast<std::uint16_t>(static_cast<unsigned>(key_exchange) << 8 |
                                      static_cast<unsigned>(protection));
  }
  auto operator<=>(const Suite&) const = default;
};

// The full length of the protection's MAC in bytes: the longest tag it can give.
[[nodiscard]] constexpr std::size_t mac_size(Protection protection) {
  switch (protection) {
    case Protection::aes256_ctr_sha256:
      return 32;
  }
  return 0;
}

[[nodiscard]] std::optional<Suite> suite_from_code(std::uint16_t code);
[[nodiscard]] std::optional<Suite> parse_suite(std::string_view name);
[[nodiscard]] std::string to_string(Suite suite);
[[nodiscard]] std::string_view to_string(Protection protection);

}  // namespace penstock
