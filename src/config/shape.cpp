#include "shape.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "values.hpp"

namespace penstock::config {
namespace {

using namespace std::chrono_literals;

constexpr std::array shape_keys{Key{"mode"},  Key{"rate"},  Key{"steps"}, Key{"dwell"},
                                Key{"queue"}, Key{"adapt"}, Key{"least"}, Key{"probes"}};

constexpr std::string_view a_rate =
    "a rate such as \"500kbit\", \"100Mbit\", \"1Gbit\" or \"20000fps\" (frames a second)";
constexpr std::string_view a_duration = "a duration such as \"50ms\" or \"10s\"";

constexpr Time default_dwell = 10s;
constexpr Time default_queue = 50ms;
// At least one frame a second, of the largest; and at most what a port may carry one day.
constexpr Rate least_bits{100'000, Rate::Unit::bits};
constexpr Rate most_bits{100'000'000'000, Rate::Unit::bits};
constexpr Rate least_frames{1, Rate::Unit::frames};
constexpr Rate most_frames{10'000'000, Rate::Unit::frames};

constexpr std::int64_t max_mtu = 9216;  // the largest frame with its headers
constexpr std::int64_t max_dscp = 63;   // RFC 2474: six bits

// The only texts among values that are numbers.
std::optional<bool> parse_auto(std::string_view text) {
  return text == "auto" ? std::optional{true} : std::nullopt;
}
std::optional<bool> parse_copy(std::string_view text) {
  return text == "copy" ? std::optional{true} : std::nullopt;
}

bool is_timed(const Shape& shape) { return shape.mode != ShapeMode::burst; }

void check_rate(const Section& shape, std::string_view key, const Rate& rate) {
  const bool is_bits = rate.unit == Rate::Unit::bits;
  const Rate& low = is_bits ? least_bits : least_frames;
  const Rate& high = is_bits ? most_bits : most_frames;
  if (rate.per_second < low.per_second || rate.per_second > high.per_second)
    shape.refuse(
        key, fmt::format("a rate must be from \"{}\" to \"{}\"", rate_text(low), rate_text(high)));
}

std::optional<Rate> read_rate(const Section& shape, std::string_view key) {
  const auto rate = shape.parsed(key, parse_rate, a_rate);
  if (rate) check_rate(shape, key, *rate);
  return rate;
}

void refuse_foreign(const Section& shape, std::string_view key, std::string_view sentence) {
  if (shape.find(key) != nullptr) shape.refuse(key, sentence);
}

void read_steps(const Section& shape, Shape& config) {
  for (const std::string& text : shape.texts("steps")) {
    const auto step = parse_rate(text);
    if (!step) return shape.refuse("steps", fmt::format("\"{}\" is not {}", text, a_rate));
    check_rate(shape, "steps", *step);
    config.steps.push_back(*step);
  }
  if (config.steps.size() < 2 || config.steps.size() > Shape::max_steps)
    return shape.refuse("steps", fmt::format("mode \"quantized\" needs 2 to {} rates to move "
                                             "between, such as [\"10Mbit\", \"100Mbit\"]",
                                             Shape::max_steps));
  const auto falls = [](const Rate& a, const Rate& b) { return a.per_second >= b.per_second; };
  if (!std::ranges::all_of(config.steps,
                           [&](const Rate& step) { return step.unit == config.steps[0].unit; }))
    shape.refuse("steps", "write all steps in bits, or all in frames a second");
  else if (std::ranges::adjacent_find(config.steps, falls) != config.steps.end())
    shape.refuse("steps", "write the slowest first, and each one faster than the one before");
}

void read_rates(const Section& shape, Shape& config) {
  if (config.mode == ShapeMode::quantized) {
    refuse_foreign(shape, "rate", "mode \"quantized\" has no single rate; its rates are `steps`");
    return read_steps(shape, config);
  }
  config.rate = read_rate(shape, "rate");
  if (config.mode == ShapeMode::constant && !config.rate)
    shape.refuse("rate", "mode \"constant\" needs the rate at which its frames leave, such as "
                         "rate = \"100Mbit\"");
  refuse_foreign(shape, "steps", "only mode \"quantized\" moves between steps; write a rate");
  refuse_foreign(shape, "dwell", "only mode \"quantized\" moves between steps; take this out");
}

void read_times(const Section& shape, Shape& config) {
  const auto read = [&](std::string_view key, Time low, Time high, Time fallback) {
    const auto value = shape.parsed(key, parse_duration, a_duration);
    if (value && (*value < low || *value > high))
      shape.refuse(key, fmt::format("this must be a duration from \"{}\" to \"{}\"",
                                    duration_text(low), duration_text(high)));
    return value.value_or(fallback);
  };
  if (config.mode == ShapeMode::quantized) config.dwell = read("dwell", 100ms, 1h, default_dwell);
  if (config.is_paced())
    config.queue = read("queue", 1ms, 5s, default_queue);
  else
    refuse_foreign(shape, "queue",
                   "nothing waits on a link without a rate; add a rate, or take "
                   "this out");
}

void read_least(const Section& shape, Shape& config) {
  config.least = read_rate(shape, "least");
  if (!config.least) return;
  if (!config.adapt)
    return shape.refuse("least", "this is how far adapt = true may slow the link; add that, or "
                                 "take this out");
  const Rate& slowest = config.steps.empty() ? config.rate.value_or(Rate{}) : config.steps[0];
  if (config.least->unit != slowest.unit)
    shape.refuse("least", "write this in the unit of the link's rate, bits or frames a second");
  else if (config.least->per_second > slowest.per_second)
    shape.refuse("least",
                 fmt::format("this must not be more than the link's rate, {}", rate_text(slowest)));
}

void read_congestion(const Section& shape, Shape& config) {
  config.adapt = shape.truth("adapt").value_or(false);
  if (config.adapt && !is_timed(config))
    shape.refuse("adapt", "only frames that leave whatever happens must heed congestion; in mode "
                          "\"burst\" the traffic inside does that itself; take this out");
  read_least(shape, config);
}

Shape read_shape(const Section& link) {
  Shape config;
  const toml::node* const node = link.find("shape");
  if (node == nullptr) return config;
  if (!node->is_table()) {
    link.refuse("shape",
                "this must be a table, such as { mode = \"constant\", rate = \"100Mbit\" }");
    return config;
  }
  const Section shape = link.section("shape", shape_keys);
  if (shape.find("mode") == nullptr)
    shape.refuse("mode", "say when frames leave: mode = \"burst\", \"constant\" or \"quantized\"");
  config.mode =
      shape.parsed("mode", parse_shape_mode, "a mode: \"burst\", \"constant\" or \"quantized\"")
          .value_or(ShapeMode::burst);
  read_rates(shape, config);
  read_times(shape, config);
  read_congestion(shape, config);
  return config;
}

// Whether probes may leave between the frames of a timed link.
bool allows_probes(const Section& link, const LinkConfig& config) {
  if (link.find("shape") == nullptr) return true;
  const Section shape = link.section("shape", shape_keys);
  const auto allowed = shape.truth("probes");
  if (allowed && !is_timed(config.shape))
    shape.refuse("probes",
                 "in mode \"burst\" the probes of mtu = \"auto\" need no leave; take this out");
  if (allowed.value_or(false) && !config.finds_mtu)
    shape.refuse("probes", "only mtu = \"auto\" sends probes; add that, or take this out");
  return allowed.value_or(!is_timed(config.shape));
}

// A path that does not carry handshake messages carries no link.
void check_mtu(const Section& link, std::int64_t mtu, IpVersion version) {
  const bool is_v4 = version == IpVersion::v4;
  const std::size_t least = (is_v4 ? 28 : 48) + limits::handshake_message;  // IP and UDP headers
  if (mtu < static_cast<std::int64_t>(least))
    link.refuse("mtu", fmt::format("handshake messages are IP packets of {} bytes over IPv{}, and "
                                   "the path must carry them; write {} or more",
                                   least, is_v4 ? 4 : 6, least));
}

void read_mtu(const Section& link, LinkConfig& config) {
  const toml::node* const node = link.find("mtu");
  if (node != nullptr && node->is_string())
    config.finds_mtu =
        link.parsed("mtu", parse_auto, "\"auto\", or a number without quotes").has_value();
  else if (const auto mtu = link.number("mtu", 1, max_mtu)) {
    check_mtu(link, *mtu, config.endpoint.address.version);
    config.mtu = static_cast<std::uint16_t>(*mtu);
  }
  if (node != nullptr && config.frame_size)
    link.refuse("mtu", "mtu and frame_size both say how large a frame is; keep one of them");
  if (!allows_probes(link, config) && config.finds_mtu)
    link.refuse("mtu", "the probes of mtu = \"auto\" stand outside the rhythm of this link, where "
                       "an observer sees them; write the path's MTU as a number, or allow them "
                       "with probes = true in shape");
}

void read_marks(const Section& link, LinkConfig& config) {
  const toml::node* const node = link.find("dscp");
  if (node != nullptr && node->is_string())
    config.copies_dscp = link.parsed("dscp", parse_copy,
                                     "\"copy\", or a number from 0 to 63 without quotes (EF is 46)")
                             .has_value();
  else
    config.dscp = static_cast<std::uint8_t>(link.number("dscp", 0, max_dscp).value_or(0));
  if (config.copies_dscp && is_timed(config.shape))
    link.refuse("dscp", "\"copy\" would show outside what is inside, which this link's mode is "
                        "there to hide; write a number");
  config.ecn = link.truth("ecn").value_or(false);
  if (config.ecn && !is_timed(config.shape))
    link.refuse("ecn",
                "ecn needs mode \"constant\" or \"quantized\" with adapt = true in shape; in "
                "mode \"burst\" frames heed no marks, so take this out");
  else if (config.ecn && !config.shape.adapt)
    link.refuse("ecn", "a router that marks frames instead of dropping them counts on a sender "
                       "that slows down; add adapt = true to shape, or take this out");
}

}  // namespace

void read_shaping(const Section& link, LinkConfig& config) {
  config.shape = read_shape(link);
  config.priority = link.parsed("priority", parse_priority, "\"dscp\", \"vlan\" or \"none\"")
                        .value_or(PriorityBy::dscp);
  if (link.find("priority") != nullptr && config.priority != PriorityBy::none &&
      !config.shape.is_paced())
    link.refuse("priority", "nothing waits on a link without a rate; add a rate to shape, or take "
                            "this out");
  if (is_timed(config.shape) && config.hold.count() != 0)
    link.refuse("hold", "this link's frames leave with its clock and wait for nothing else; take "
                        "this out");
  read_mtu(link, config);
  read_marks(link, config);
}

}  // namespace penstock::config

namespace penstock {

std::string describe(const Shape& shape) {
  std::string text{to_string(shape.mode)};
  if (!shape.is_paced()) return text + ": frames leave when there is something to say";
  std::string_view before = shape.mode == ShapeMode::burst ? ", at most " : ", ";
  if (shape.rate) text += std::string{before} + config::rate_text(*shape.rate);
  for (const Rate& step : shape.steps)
    text += std::string{std::exchange(before, " or ")} + config::rate_text(step);
  if (shape.mode == ShapeMode::quantized)
    text += fmt::format(", each for at least {}", config::duration_text(shape.dwell));
  if (shape.adapt)
    text += fmt::format("; slower while the path is congested, down to {}",
                        shape.least ? config::rate_text(*shape.least) : "a tenth");
  return text + fmt::format("; packets wait at most {}", config::duration_text(shape.queue));
}

}  // namespace penstock
