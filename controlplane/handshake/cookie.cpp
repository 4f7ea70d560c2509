#include "controlplane/handshake/cookie.hpp"

#include <algorithm>

#include "penstock/base/limits.hpp"
#include "penstock/crypto/primitives.hpp"

namespace penstock::controlplane {
namespace {

// An address: u8 IP version || address 16 || be16 port || zeros. A session: u8 0 || its id.
using RouteBytes = std::array<std::byte, 1 + 32>;

RouteBytes to_bytes(const Route& route) {
  RouteBytes bytes{};
  if (const auto* const endpoint = std::get_if<Endpoint>(&route)) {
    store_u8(bytes.data(), static_cast<std::uint8_t>(endpoint->address.version));
    std::ranges::copy(endpoint->address.bytes, bytes.begin() + 1);
    store_be16(bytes.data() + 17, endpoint->port);
  } else {
    std::ranges::copy(std::get<ipc::SessionId>(route), bytes.begin() + 1);
  }
  return bytes;
}

}  // namespace

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
  const RouteBytes route = to_bytes(claim.from);
  std::array<std::byte, 2> suite;
  store_be16(suite.data(), claim.suite);

  crypto::Digest mac;
  crypto::hmac_sha256(secret_.reveal(),
                      {epoch_bytes, route, claim.key_id, claim.h1, claim.nonce_responder, suite},
                      mac);
  Cookie cookie;
  std::ranges::copy(epoch_bytes, cookie.begin());
  std::copy_n(mac.begin(), cookie.size() - epoch_bytes.size(), cookie.begin() + 4);
  return cookie;
}

}  // namespace penstock::controlplane
