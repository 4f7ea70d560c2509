// What a worker counts. Written by its worker alone; the main core adds up the workers and
// sends totals. A plain array of 64-bit numbers, so that adding and sending are loops.
//
// Where a worker hands packets to another (dataplane/steering), the books are kept by who has them:
//
//   plain in, wire in    received by the worker that takes them over. What it had no room for was
//                        not received: mesh_full, beside the books, as what a kernel drops
//   wire out, plain out  sent (delivered) by the worker that hands them over; what it could not
//                        hand over is wire_tx_full (plain_tx_full), and mesh_full beside the books.
//                        What the port then refuses the worker that sends it stays counted as sent,
//                        and is mesh_full beside the books, in that worker's counters. No counter
//                        is ever taken back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "penstock/ipc/drop_reason.hpp"

namespace penstock {

enum class Counter : std::uint8_t {
  plain_received,  // packets
  plain_received_bytes,
  packed,  // packets whose last byte is in a frame
  packed_bytes,
  frames_sealed,
  payload_bytes,  // of sealed frames: blocks and their headers
  padding_bytes,  // of sealed frames
  dummy_frames,   // sealed frames that carry no packet
  ticks_missed,   // of links with a rate: no frame left
  ce_marked,      // packets from the plain port that got a CE mark
  frames_sent,
  wire_received,    // packets of any kind
  frames_received,  // of them, what claims to be a frame
  frames_opened,
  frames_ce,  // of them, CE-marked by the path
  punted,     // handed to the main core: handshakes, ARP, ping
  injected,   // sent for the main core
  packets_rebuilt,
  delivered,
  delivered_bytes,
  turns,  // of the worker's loop
  sleeps,
  count_,
};
inline constexpr std::size_t counter_count = static_cast<std::size_t>(Counter::count_);

// Not counters but present values.
enum class Gauge : std::uint8_t {
  held_plain,     // packets partly in a frame that is still open, or waiting for their tick
  held_sealed,    // sealed frames waiting for their tick
  held_delivery,  // packets rebuilt, not yet handed to the port
  held_frames,    // opened frames waiting for an earlier one
  count_,
};
inline constexpr std::size_t gauge_count = static_cast<std::size_t>(Gauge::count_);

[[nodiscard]] std::string_view name(Counter counter);
[[nodiscard]] std::string_view name(Gauge gauge);

struct Counters {
  std::array<std::uint64_t, counter_count> values{};
  std::array<std::uint64_t, gauge_count> gauges{};
  std::array<std::uint64_t, drop_reason_count> drops{};

  [[nodiscard]] std::uint64_t operator[](Counter c) const {
    return values[static_cast<std::size_t>(c)];
  }
  [[nodiscard]] std::uint64_t operator[](Gauge g) const {
    return gauges[static_cast<std::size_t>(g)];
  }
  [[nodiscard]] std::uint64_t operator[](DropReason r) const {
    return drops[static_cast<std::size_t>(r)];
  }
};

// The first book that does not balance, by name; empty when all do.
[[nodiscard]] std::string_view unbalanced_book(const Counters& counters);

}  // namespace penstock
