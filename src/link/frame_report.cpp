#include "penstock/link/frame_report.hpp"

#include <algorithm>

#include "penstock/wire/block.hpp"

namespace penstock {
namespace {

constexpr std::size_t lane_at = 2;
constexpr std::size_t next_at = 8;
constexpr std::size_t admitted_at = 16;
constexpr std::size_t marked_at = 24;
constexpr std::size_t events_at = 32;
constexpr std::size_t clock_at = 40;
constexpr std::size_t echo_at = 48;
constexpr std::size_t held_at = 56;
static_assert(held_at + 8 == frame_report_size);

bool holds_together(const FrameReport& report) {
  return report.admitted <= report.next && report.marked <= report.admitted &&
         report.events <= report.next && (report.admitted == 0) == (report.next == 0) &&
         report.clock != 0 && (report.echo != 0 || report.held_ns == 0);
}

std::uint64_t nanoseconds(Time time) {
  return static_cast<std::uint64_t>(std::max<Time::rep>(time.count(), 0));
}

}  // namespace

void write_frame_report(std::span<std::byte, frame_report_size> out, const FrameReport& report) {
  std::ranges::fill(out, std::byte{});
  store_u8(out.data(), static_cast<std::uint8_t>(ControlType::report));
  store_be16(&out[lane_at], report.lane);
  store_be64(&out[next_at], report.next);
  store_be64(&out[admitted_at], report.admitted);
  store_be64(&out[marked_at], report.marked);
  store_be64(&out[events_at], report.events);
  store_be64(&out[clock_at], report.clock);
  store_be64(&out[echo_at], report.echo);
  store_be64(&out[held_at], report.held_ns);
}

std::optional<FrameReport> read_frame_report(Bytes content) {
  if (content.size() != frame_report_size) return std::nullopt;
  const std::byte* at = content.data();
  if (load_u8(at) != static_cast<std::uint8_t>(ControlType::report) || load_u8(at + 1) != 0 ||
      load_be32(at + 4) != 0)
    return std::nullopt;
  const FrameReport report{.lane = load_be16(at + lane_at),
                           .next = load_be64(at + next_at),
                           .admitted = load_be64(at + admitted_at),
                           .marked = load_be64(at + marked_at),
                           .events = load_be64(at + events_at),
                           .clock = load_be64(at + clock_at),
                           .echo = load_be64(at + echo_at),
                           .held_ns = load_be64(at + held_at)};
  if (!holds_together(report)) return std::nullopt;
  return report;
}

FrameReport Reporter::make(std::uint16_t lane, const FrameTally& tally, std::uint64_t next,
                           Time round_trip, Time now) {
  due_ = now + std::max(period, round_trip);
  return {.lane = lane,
          .next = next,
          .admitted = tally.admitted(),
          .marked = tally.marked(),
          .events = std::min(tally.events(), next),
          .clock = std::max<std::uint64_t>(nanoseconds(now), 1),
          .echo = echo_,
          .held_ns = echo_ == 0 ? 0 : nanoseconds(now - heard_at_)};
}

void Reporter::hear(const FrameReport& report, Time now) {
  if (report.clock <= echo_) return;  // overtaken by a newer one
  echo_ = report.clock;
  heard_at_ = now;
}

}  // namespace penstock
