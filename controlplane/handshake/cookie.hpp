// The cookie of messages 2 and 3: it proves that the sender of a message 3 received our
// message 2 at its address, or inside the same session, and lets us keep nothing until then
// (docs/protocol.md section 3).
#pragma once

#include <array>
#include <cstdint>
#include <expected>

#include "penstock/base/address.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/crypto/key_schedule.hpp"

#include "controlplane/handshake/entropy.hpp"
#include "controlplane/handshake/route.hpp"
#include "controlplane/handshake/verdict.hpp"

namespace penstock::controlplane {

using Cookie = std::array<std::byte, 28>;

// What a cookie vouches for.
struct CookieClaim {
  Route from;
  crypto::KeyId key_id;
  crypto::Digest h1;
  crypto::Nonce nonce_responder;
  std::uint16_t suite = 0;
};

class CookieJar {
 public:
  explicit CookieJar(Entropy& entropy);

  [[nodiscard]] Cookie make(const CookieClaim& claim, Time now) const;
  // bad_cookie or stale_cookie when it does not vouch for `claim` now.
  [[nodiscard]] std::expected<void, Verdict> check(const Cookie& cookie, const CookieClaim& claim,
                                                   Time now) const;

 private:
  [[nodiscard]] std::uint32_t epoch(Time now) const;
  [[nodiscard]] Cookie make_at(std::uint32_t epoch, const CookieClaim& claim) const;

  struct CookiePurpose;
  Secret<32, CookiePurpose> secret_;
  std::uint32_t start_ = 0;  // random, so that an epoch does not tell our uptime
};

}  // namespace penstock::controlplane
