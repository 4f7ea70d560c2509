#include "penstock/ipc/counters.hpp"

#include "penstock/base/check.hpp"

namespace penstock {
namespace {

// In the order of the enums.
constexpr std::array<std::string_view, counter_count> counter_names{
    "plain_received",  "plain_received_bytes",
    "packed",          "packed_bytes",
    "frames_sealed",   "payload_bytes",
    "padding_bytes",   "dummy_frames",
    "ticks_missed",    "ce_marked",
    "frames_sent",     "wire_received",
    "frames_received", "frames_opened",
    "frames_ce",       "punted",
    "injected",        "packets_rebuilt",
    "delivered",       "delivered_bytes",
    "turns",           "sleeps"};
static_assert(!counter_names.back().empty(), "a name for each Counter");

constexpr std::array<std::string_view, gauge_count> gauge_names{"held_plain", "held_sealed",
                                                                "held_delivery", "held_frames"};
static_assert(!gauge_names.back().empty(), "a name for each Gauge");

std::uint64_t drops_in(Book book, const Counters& counters) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < drop_reason_count; ++i) {
    if (info(static_cast<DropReason>(i)).book == book) sum += counters.drops[i];
  }
  return sum;
}

}  // namespace

std::string_view name(Counter counter) {
  check(counter < Counter::count_, "a Counter");
  return counter_names[static_cast<std::size_t>(counter)];
}

std::string_view name(Gauge gauge) {
  check(gauge < Gauge::count_, "a Gauge");
  return gauge_names[static_cast<std::size_t>(gauge)];
}

std::string_view unbalanced_book(const Counters& c) {
  if (c[Counter::plain_received] !=
      c[Counter::packed] + drops_in(Book::plain, c) + c[Gauge::held_plain]) {
    return "plain";
  }
  if (c[Counter::frames_received] != c[Counter::frames_opened] + drops_in(Book::frame, c)) {
    return "frame";
  }
  if (c[Counter::frames_sealed] !=
      c[Counter::frames_sent] + drops_in(Book::emit, c) + c[Gauge::held_sealed]) {
    return "emit";
  }
  if (c[Counter::packets_rebuilt] !=
      c[Counter::delivered] + drops_in(Book::delivery, c) + c[Gauge::held_delivery]) {
    return "delivery";
  }
  return {};
}

}  // namespace penstock
