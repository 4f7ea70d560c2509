// A suite is a key exchange and a protection (cipher and MAC), negotiated by the
// handshake and written like "X25519-AES256_CTR-SHA256".
// The numbers are the ones that travel in handshake messages.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock {

enum class KeyExchange : std::uint8_t {
  x25519 = 1,    // RFC 7748
  p256 = 2,      // FIPS 186-4 P-256, exchanged as in RFC 5903
  p384 = 3,      // P-384
  modp2048 = 4,  // RFC 3526 group 14, spiped's
};

struct KeyExchangeTraits {
  KeyExchange key_exchange{};
  std::string_view name;
};

// In the default order of preference: the 112 bits of MODP2048 last.
inline constexpr std::array key_exchanges{
    KeyExchangeTraits{KeyExchange::x25519, "X25519"},
    KeyExchangeTraits{KeyExchange::p256, "P256"},
    KeyExchangeTraits{KeyExchange::p384, "P384"},
    KeyExchangeTraits{KeyExchange::modp2048, "MODP2048"},
};

enum class Protection : std::uint8_t {
  aes256_ctr_sha256 = 1,  // SP 800-38A CTR, RFC 2104 and FIPS 180-4, encrypt then MAC
  aes128_ctr_sha256 = 2,
  aes256_ctr_sha384 = 3,
  aes256_gcm = 4,         // SP 800-38D
  chacha20_poly1305 = 5,  // RFC 8439
  none = 255,             // "NULL": clear and unauthenticated, for measuring in a lab
};

// What differs between protections, in bytes.
struct ProtectionTraits {
  Protection protection{};
  std::string_view name;
  std::uint8_t encrypt_key = 0;
  std::uint8_t mac_key = 0;  // 0: the cipher authenticates by itself
  std::uint8_t min_tag = 0;
  std::uint8_t max_tag = 0;  // the MAC's full length
};

// In the default order of preference.
inline constexpr std::array protections{
    ProtectionTraits{Protection::aes256_ctr_sha256, "AES256_CTR-SHA256", 32, 32, 12, 32},
    ProtectionTraits{Protection::aes128_ctr_sha256, "AES128_CTR-SHA256", 16, 32, 12, 32},
    ProtectionTraits{Protection::aes256_ctr_sha384, "AES256_CTR-SHA384", 32, 48, 12, 48},
    ProtectionTraits{Protection::aes256_gcm, "AES256_GCM", 32, 0, 16, 16},
    ProtectionTraits{Protection::chacha20_poly1305, "CHACHA20_POLY1305", 32, 0, 16, 16},
    ProtectionTraits{Protection::none, "NULL", 0, 0, 0, 0},
};

// `protection` is one of the table: every Protection that was parsed or checked is.
[[nodiscard]] constexpr const ProtectionTraits& traits(Protection protection) {
  return *std::ranges::find(protections, protection, &ProtectionTraits::protection);
}
// The tag that a frame gets where `wanted` bytes are asked for.
[[nodiscard]] constexpr std::uint8_t fit_tag(Protection protection, std::uint8_t wanted) {
  return std::clamp(wanted, traits(protection).min_tag, traits(protection).max_tag);
}
[[nodiscard]] constexpr bool is_aead(Protection protection) {
  return traits(protection).mac_key == 0 && traits(protection).encrypt_key != 0;
}

// A handshake offers no more.
inline constexpr std::size_t max_suites_offered = 16;

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

[[nodiscard]] std::optional<Suite> suite_from_code(std::uint16_t code);
[[nodiscard]] std::optional<Suite> parse_suite(std::string_view name);
[[nodiscard]] std::string to_string(Suite suite);
[[nodiscard]] std::string_view to_string(KeyExchange key_exchange);
[[nodiscard]] std::string_view to_string(Protection protection);

}  // namespace penstock
