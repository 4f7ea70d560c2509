// Every limit of the project has its home here, with its reason. Times are what
// DESIGN names; where the config may change one, this is its default.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "penstock/base/suite.hpp"

namespace penstock::limits {

using namespace std::chrono_literals;

// --- names and key files ------------------------------------------------------
inline constexpr std::size_t max_site_name = 63;        // a u8 length in the key derivation
inline constexpr std::size_t min_key_file = 32;         // bytes; spiped's 256 bits
inline constexpr std::size_t max_key_file = 64 * 1024;  // nobody means to hash more

// --- frames (bytes of UDP payload: header, ciphertext, tag) -------------------
inline constexpr std::size_t min_frame_size = 256;
inline constexpr std::size_t max_frame_size = 9000;
inline constexpr std::size_t default_tag = 16;
inline constexpr std::size_t min_tag = 12;  // what `tag` may ask for; suite.hpp has each MAC's own
inline constexpr std::size_t max_tag = 48;
inline constexpr std::uint16_t default_port = 7670;

// --- packets ------------------------------------------------------------------
// The kernel's largest segmentation-offload packet (65535 bytes of IP) behind an
// Ethernet header and two VLAN tags.
inline constexpr std::size_t max_packet = 65535 + 14 + 8;
inline constexpr std::size_t virtio_net_header = 10;
inline constexpr std::size_t max_block = max_packet + virtio_net_header;
static_assert(max_block < 1u << 24, "a block's length is be24");

// --- SAs ------------------------------------------------------------------------
inline constexpr unsigned spi_lane_bits = 6;
inline constexpr unsigned spi_slot_bits = 14;
inline constexpr unsigned spi_generation_bits = 12;
static_assert(spi_lane_bits + spi_slot_bits + spi_generation_bits == 32);
inline constexpr unsigned max_lanes = 1u << spi_lane_bits;
inline constexpr unsigned max_sessions = 1u << spi_slot_bits;
inline constexpr unsigned replay_window = 4096;  // frames, per SA
inline constexpr unsigned reorder_window = 128;  // a gap is given up after this many later frames
inline constexpr auto reorder_wait = 2ms;        // or after this long
static_assert(reorder_window < replay_window);

// --- a session's life -----------------------------------------------------------
inline constexpr auto rekey_after = 120s;  // the session's initiator
inline constexpr auto rekey_after_responder_min = 130s;
inline constexpr auto rekey_after_responder_max = 140s;
inline constexpr auto session_max_age = 1h;  // hard stop, whatever the control plane does
inline constexpr auto grace = 10s;           // the old session keeps receiving after a rekey
// A session that a reloaded config would not make again ends after this long: a far side that may
// have another has had several attempts by then.
inline constexpr auto outdated_ends_after = 30s;
inline constexpr unsigned max_links = 1024;
inline constexpr unsigned max_pipes = 256;  // each is a process
inline constexpr auto keepalive = 3s;       // a lane never says nothing for longer
inline constexpr auto dead_after = 10s;     // nothing heard for so long: the far side is silent
inline constexpr auto min_dead_after = 5s;  // one keepalive may be lost, and one be late
static_assert(keepalive < min_dead_after);
inline constexpr auto confirm_within = 10s;         // a session nobody spoke on is dropped
inline constexpr auto confirm_retry_first = 100ms;  // dummy frames on a new session
inline constexpr auto confirm_retry_last = 1s;

// --- how long a key is good ------------------------------------------------------
// Of one SA. AES: an attacker's advantage after N frames of B blocks is (N B)^2 / 2^129 (the
// birthday bound on a 128-bit block cipher in counter mode; RFC 9001 appendix B.1): rekey at
// N B = 2^35, hard stop at 2^41. GCM spends one block more on its tag. ChaCha20 has a block of
// 512 bits: its confidentiality outlasts every count of frames (RFC 9001 section 6.6), and the
// stop at 2^62 keeps sequence numbers far from wrapping.
// Failed opens: a forger's chance grows with each. ChaCha20-Poly1305 2^36 (RFC 9001 section
// 6.6), GCM 2^52 (ibid.), and HMAC with a tag of 96 bits or more outlasts that.
struct SaLimits {
  std::uint64_t rekey_frames = 0;      // from here on a rekey is asked for
  std::uint64_t hard_frames = 0;       // seal refuses to number this frame
  std::uint64_t max_failed_opens = 0;  // then the SA stops receiving
};

[[nodiscard]] constexpr std::uint64_t cipher_blocks(Protection protection, std::size_t frame_size) {
  return (frame_size + 15) / 16 + (protection == Protection::aes256_gcm ? 1 : 0);
}
[[nodiscard]] constexpr SaLimits sa_limits(Protection protection, std::size_t frame_size) {
  constexpr auto power = [](unsigned exponent) { return std::uint64_t{1} << exponent; };
  switch (protection) {
    case Protection::aes256_ctr_sha256:
    case Protection::aes128_ctr_sha256:
    case Protection::aes256_ctr_sha384:
    case Protection::aes256_gcm: {
      const std::uint64_t blocks = cipher_blocks(protection, frame_size);
      return {.rekey_frames = power(35) / blocks,
              .hard_frames = power(41) / blocks,
              .max_failed_opens = power(52)};
    }
    case Protection::chacha20_poly1305:
      return {.rekey_frames = power(56), .hard_frames = power(62), .max_failed_opens = power(36)};
    case Protection::none:
      break;
  }
  return {.rekey_frames = power(56), .hard_frames = power(62), .max_failed_opens = power(52)};
}
static_assert(sa_limits(Protection::aes256_gcm, max_frame_size).rekey_frames * 32 <
              sa_limits(Protection::aes256_gcm, min_frame_size).hard_frames);
static_assert(rekey_after < rekey_after_responder_min);
static_assert(rekey_after_responder_max < session_max_age);

// --- the handshake ----------------------------------------------------------------
inline constexpr std::size_t handshake_message = 1024;  // every message, padding and MAC included
inline constexpr auto cookie_life = 10s;
inline constexpr unsigned signature_checks = 10;  // a second, of one key, by one way
inline constexpr auto attempt_life = 5s;
inline constexpr auto initiate_pause_after_answer = 10s;
inline constexpr auto retransmit_first = 250ms;
inline constexpr auto retransmit_last = 1s;
inline constexpr auto retry_first = 500ms;  // between attempts while a link is down, doubling
inline constexpr auto retry_last = 10s;
inline constexpr auto resolve_again = 5s;  // the name of an endpoint is not looked up more often
inline constexpr unsigned attempts_inside = 3;     // silent in a row; then every other in the clear
inline constexpr unsigned max_answer_repeats = 8;  // the same message 4 for the same message 3
inline constexpr unsigned max_bad_answers = 8;  // message 4s of one attempt that cost I an exchange

}  // namespace penstock::limits
