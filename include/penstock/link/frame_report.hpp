// Reports: what a receiver says of the frames of one SA, in a control block, to their sender.
// Everything is counted since the SA's first frame, so a report that is lost costs nothing: the
// next one says it all. Source: docs/protocol.md, "Reports"; the idea is RFC 9347's section 6.1.2.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "penstock/base/bytes.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/link/frame_tally.hpp"

namespace penstock {

// Of a report's content, ControlType included:
//
//   offset 0   type      u8    ControlType::report
//          1   zero      u8
//          2   lane      be16  of the SA, as its sender numbers its lanes
//          4   zero      be32
//          8   next      be64  the highest sequence number admitted plus one; 0: none was
//         16   admitted  be64  frames that were; never more than `next`
//         24   marked    be64  of them, CE-marked on the path; never more than `admitted`
//         32   events    be64  loss events (RFC 5348 section 5.2); never more than `next`
//         40   clock     be64  the reporter's, in any unit from any start, growing; never 0
//         48   echo      be64  `clock` of the newest report it has heard of the other side; 0: none
//         56   held      be64  nanoseconds since it heard that one; 0 without one
inline constexpr std::size_t frame_report_size = 64;

struct FrameReport {
  std::uint16_t lane = 0;
  std::uint64_t next = 0;
  std::uint64_t admitted = 0;
  std::uint64_t marked = 0;
  std::uint64_t events = 0;
  std::uint64_t clock = 0;
  std::uint64_t echo = 0;
  std::uint64_t held_ns = 0;

  bool operator==(const FrameReport&) const = default;
};

void write_frame_report(std::span<std::byte, frame_report_size> out, const FrameReport& report);
// Empty: malformed. What holds together may still be a lie: of frames that were never sent, say,
// which only their sender can tell. A lie slows or stops the liar's own incoming frames, or keeps
// them at the rate that is configured; it does nothing else.
[[nodiscard]] std::optional<FrameReport> read_frame_report(Bytes content);

// When a site reports on a lane, and what its reports echo. One of a lane that is paced.
class Reporter {
 public:
  // A second, or a round trip where that is longer.
  static constexpr Time period = std::chrono::seconds{1};

  // Whether the next frame that leaves is to carry a report.
  [[nodiscard]] bool is_due(Time now) const { return now >= due_; }
  // The report that leaves now; the next is due a period later.
  [[nodiscard]] FrameReport make(std::uint16_t lane, const FrameTally& tally, std::uint64_t next,
                                 Time round_trip, Time now);
  // One of the far side's arrived.
  void hear(const FrameReport& report, Time now);
  // The session is another one: reports of the one before are not echoed in it.
  void renew() { *this = Reporter{}; }

 private:
  Time due_{};
  std::uint64_t echo_ = 0;
  Time heard_at_{};
};

}  // namespace penstock
