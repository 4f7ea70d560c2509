// What a control block says as a report: what is taken for one holds together, and is one bit for
// bit.
#include "penstock/link/frame_report.hpp"

#include <algorithm>
#include <array>

#include "fuzz.hpp"

using namespace penstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input = fuzz::bytes(data, size);
  const auto report = read_frame_report(input);
  if (!report) return 0;
  fuzz::require(report->admitted <= report->next && report->events <= report->next);
  fuzz::require(report->marked <= report->admitted && report->clock != 0);
  std::array<std::byte, frame_report_size> written{};
  write_frame_report(written, *report);
  fuzz::require(std::ranges::equal(written, input));
  Reporter reporter;
  reporter.hear(*report, Time{1});
  const FrameReport echo = reporter.make(0, FrameTally{}, 0, Time{}, Time{2});
  fuzz::require(echo.echo == report->clock && echo.held_ns == 1);
  return 0;
}
