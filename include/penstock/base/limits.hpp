// Every limit of the project has its home here, with its reason. Times are what
// DESIGN names; where the config may change one, this is its default.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

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
inline constexpr std::size_t min_tag = 12;
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
inline constexpr auto session_max_age = 1h;         // hard stop, whatever the control plane does
inline constexpr auto grace = 10s;                  // the old session keeps receiving after a rekey
inline constexpr auto confirm_within = 10s;         // a session nobody spoke on is dropped
inline constexpr auto confirm_retry_first = 100ms;  // dummy frames on a new session
inline constexpr auto confirm_retry_last = 1s;
inline constexpr std::uint64_t max_failed_opens = std::uint64_t{1} << 52;  // RFC 9001 section 6.6

// AES: an attacker's advantage after N frames of B blocks is (N B)^2 / 2^129
// (RFC 9001 appendix B); rekey at 2^35 / B frames, hard stop at 2^41 / B.
[[nodiscard]] constexpr std::uint64_t aes_blocks(std::size_t frame_size) {
  return (frame_size + 15) / 16;
}
[[nodiscard]] constexpr std::uint64_t rekey_frames(std::size_t frame_size) {
  return (std::uint64_t{1} << 35) / aes_blocks(frame_size);
}
[[nodiscard]] constexpr std::uint64_t hard_frames(std::size_t frame_size) {
  return (std::uint64_t{1} << 41) / aes_blocks(frame_size);
}
static_assert(rekey_frames(max_frame_size) * 32 < hard_frames(min_frame_size));
static_assert(rekey_after < rekey_after_responder_min);
static_assert(rekey_after_responder_max < session_max_age);

// --- the handshake ----------------------------------------------------------------
inline constexpr std::size_t handshake_message = 1024;  // every message, padding and MAC included
inline constexpr auto cookie_life = 10s;
inline constexpr auto attempt_life = 5s;
inline constexpr auto initiate_pause_after_answer = 10s;
inline constexpr auto retransmit_first = 250ms;
inline constexpr auto retransmit_last = 1s;
inline constexpr auto retry_first = 500ms;  // between attempts while a link is down, doubling
inline constexpr auto retry_last = 10s;
inline constexpr unsigned max_answer_repeats = 8;  // the same message 4 for the same message 3

}  // namespace penstock::limits
