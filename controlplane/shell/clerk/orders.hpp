// What penstockd and its clerk say to each other over a SOCK_SEQPACKET pair: an order is one
// packet, and is answered by any number of packets, of which the last is `done` or `refused`.
// Both ends are one program, so everything is in native order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "penstock/crypto/key_schedule.hpp"

namespace penstock::controlplane::clerk {

enum class Duty : std::uint8_t {
  load = 1,        // text..., link_keys of each link, identity when the site has one
  retire,          // an old key, of a link
  restore,         // the link's keys of the config, if they were retired
  resolve,         // address
  open_audit_log,  // audit_log, when the config has one
};

struct Order {
  Duty duty{};
  std::uint8_t ip_version = 0;       // of resolve
  crypto::KeyFingerprint old_key{};  // of retire
  std::array<char, 64> peer{};   // of retire and restore; with a zero behind it, as all text here
  std::array<char, 256> host{};  // of resolve
};

enum class AnswerKind : std::uint8_t {
  text = 1,   // the next piece of the config's text
  link_keys,  // K, and the old K; of the next link
  identity,   // the seed of the site's own
  address,    // 16 bytes
  audit_log,  // a descriptor comes with it
  done,
  refused,  // the sentence
};

struct AnswerHead {
  AnswerKind kind{};
  std::uint8_t detail = 0;  // an address's IP version, 0 for none; ErrorKind; OldKey
};
enum class OldKey : std::uint8_t { none, accepted, retired };

inline constexpr std::size_t max_answer = std::size_t{16} << 10;
inline constexpr std::size_t max_payload = max_answer - sizeof(AnswerHead);

}  // namespace penstock::controlplane::clerk
