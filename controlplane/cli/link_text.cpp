#include "controlplane/cli/link_text.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "penstock/wire/packet_bytes.hpp"

#include "controlplane/cli/amounts.hpp"

namespace penstock::cli {
namespace {

constexpr std::size_t usual_mtu = 1500;
constexpr double day = 86'400;          // seconds
constexpr double most_queue = 8 << 20;  // bytes; the data plane's (architecture.md)

std::string describe_size(const LinkConfig& link) {
  if (link.frame_size) return fmt::format("{} bytes", *link.frame_size);
  if (link.mtu) return fmt::format("as large as IP packets of {} bytes carry", *link.mtu);
  if (link.finds_mtu) return "as large as probes find that the path carries";
  return "as large as the wire allows";
}

std::string_view describe(PriorityBy priority) {
  switch (priority) {
    case PriorityBy::none:
      return "none: packets go as they came";
    case PriorityBy::dscp:
      return "the more urgent packets first, by their DSCP";
    case PriorityBy::vlan:
      return "the more urgent packets first, by their VLAN priority";
  }
  return "";
}

std::size_t frame_size(const LinkConfig& link) {
  if (link.frame_size) return *link.frame_size;
  const std::size_t headers = packet_bytes(link.endpoint.address.version, 0) - ethernet_header;
  return link.mtu.value_or(usual_mtu) - headers;
}

double frames_a_second(const LinkConfig& link, const Rate& rate) {
  return static_cast<double>(
             rate.frames(packet_bytes(link.endpoint.address.version, frame_size(link)))) /
         1e3;
}

std::string rates_text(const LinkConfig& link) {
  std::vector<Rate> rates = link.shape.steps;
  if (link.shape.rate) rates.push_back(*link.shape.rate);
  const std::size_t size = frame_size(link);
  std::string lines;
  std::string_view label = "sends";
  for (const Rate& rate : rates) {
    const double frames = frames_a_second(link, rate);
    const double bytes =
        frames * static_cast<double>(packet_bytes(link.endpoint.address.version, size));
    lines += link_line(std::exchange(label, ""),
                       fmt::format("{}{} and {} a day with frames of {} bytes",
                                   link.shape.mode == ShapeMode::burst ? "at most " : "",
                                   scaled(frames, "frames/s"), scaled(bytes * day, "B"), size));
  }
  return lines;
}

// Where the data plane's bound, which is each lane's, is less than `queue` asks for.
std::string queue_text(const LinkConfig& link, unsigned lanes) {
  const Rate& fastest = link.shape.rate ? *link.shape.rate : link.shape.steps.back();
  const double bytes =
      frames_a_second(link, fastest) * static_cast<double>(frame_size(link));  // a second
  const double longest = most_queue * lanes / bytes;
  if (std::chrono::duration<double>(link.shape.queue).count() <= longest) return {};
  return link_line(
      "queue",
      fmt::format("8 MB at most{}, so packets wait no longer than {}",
                  lanes == 1 ? "" : fmt::format(" on each of {} lanes", lanes), delay(longest)));
}

}  // namespace

std::string link_line(std::string_view label, std::string_view text) {
  return fmt::format("  {:<10}{}\n", label, text);
}

std::string frames_text(const LinkConfig& link, unsigned lanes) {
  const bool is_timed = link.shape.mode != ShapeMode::burst;
  std::string lines = link_line("frames", describe_size(link));
  lines += link_line("shape", penstock::describe(link.shape));
  if (link.shape.is_paced()) {
    lines += rates_text(link) + queue_text(link, lanes);
    lines += link_line("priority", describe(link.priority));
  }
  if (link.hold.count() > 0)
    lines += link_line("hold", fmt::format("a partly filled frame waits {} us", link.hold.count()));
  if (is_timed && link.finds_mtu)
    lines += link_line("probes", "leave outside the rhythm, where an observer sees them");
  return lines +
         link_line("outer", fmt::format("{}, {}",
                                        link.copies_dscp ? "DSCP of the first packet in a frame"
                                                         : fmt::format("DSCP {}", link.dscp),
                                        link.ecn ? "ECN-capable" : "not ECN-capable"));
}

}  // namespace penstock::cli
