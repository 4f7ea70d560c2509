#include "controlplane/handshake/cookie.hpp"

#include <algorithm>

#include "penstock/base/limits.hpp"
#include "penstock/crypto/primitives.hpp"

namespace penstock::controlplane {

CookieJar::CookieJar(Entropy& entropy)
    : start_(static_cast<std::uint32_t>(entropy.below(std::uint64_t{1} << 32))) {
  entropy.fill(secret_.fill());
}

Cookie CookieJar::make(const CookieClaim& claim, Time now) const {
  return make_at(epoch(now), claim);
}

std::expected<void, Verdict> CookieJar::check(const Cookie& cookie, const CookieClaim& claim,
                                              Time now) const {
  const std::uint32_t made_at = load_be32(cookie.data());
  Cookie expected = make_at(made_at, claim);
  const bool is_ours = equal_constant_time(cookie, expected);
  wipe(expected);
  if (!is_ours) return std::unexpected{Verdict::bad_cookie};
  constexpr auto life = std::chrono::duration_cast<std::chrono::seconds>(limits::cookie_life);
  const std::uint32_t age = epoch(now) - made_at;  // modulo 2^32
  if (age >= life.count()) return std::unexpected{Verdict::stale_cookie};
  return {};
}

std::uint32_t CookieJar::epoch(Time now) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).count();
  return start_ + static_cast<std::uint32_t>(seconds);
}

Cookie CookieJar::make_at(std::uint32_t epoch, const CookieClaim& claim) const {
  std::array<std::byte, 4> epoch_bytes;
  store_be32(epoch_bytes.data(), epoch);
  std::array<std::byte, 1 + 16 + 2> address;
  store_u8(address.data(), static_cast<std::uint8_t>(claim.from.address.version));
  std::ranges::copy(claim.from.address.bytes, address.begin() + 1);
  store_be16(address.data() + 17, claim.from.port);
  std::array<std::byte, 2> suite;
  store_be16(suite.data(), claim.suite);

  crypto::Digest mac;
  crypto::hmac_sha256(secret_.reveal(),
                      {epoch_bytes, address, claim.key_id, claim.h1, claim.nonce_responder, suite},
                      mac);
  Cookie cookie;
  std::ranges::copy(epoch_bytes, cookie.begin());
  std::copy_n(mac.begin(), cookie.size() - epoch_bytes.size(), cookie.begin() + 4);
  return cookie;
}

}  // namespace penstock::controlplane
