#include "command.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace impair {
namespace {

std::string_view take_word(std::string_view& rest) {
  const auto start = std::min(rest.find_first_not_of(' '), rest.size());
  const auto end = std::min(rest.find(' ', start), rest.size());
  const auto word = rest.substr(start, end - start);
  rest.remove_prefix(end);
  return word;
}

template <class Number>
bool read(std::string_view text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size();
}

bool read_probability(std::string_view text, double& into) {
  return read(text, into) && into >= 0 && into <= 1;
}

bool read_time(std::string_view text, Time& into) {
  std::uint32_t microseconds = 0;
  if (!read(text, microseconds)) return false;
  into = std::chrono::microseconds{microseconds};
  return true;
}

bool apply(std::string_view name, std::string_view value, Settings& to) {
  const std::array<std::pair<std::string_view, double*>, 7> probabilities{{
      {"loss", &to.loss},
      {"burst_enter", &to.burst_enter},
      {"burst_leave", &to.burst_leave},
      {"burst_loss", &to.burst_loss},
      {"duplicate", &to.duplicate},
      {"reorder", &to.reorder},
      {"mark", &to.mark},
  }};
  const std::array<std::pair<std::string_view, Time*>, 3> times{{
      {"reorder_wait", &to.reorder_wait},
      {"delay", &to.delay},
      {"jitter", &to.jitter},
  }};
  const std::array<std::pair<std::string_view, std::uint32_t*>, 3> numbers{{
      {"reorder_distance", &to.reorder_distance},
      {"mtu", &to.mtu},
      {"queue", &to.queue},
  }};
  for (const auto& [known, target] : probabilities)
    if (name == known) return read_probability(value, *target);
  for (const auto& [known, target] : times)
    if (name == known) return read_time(value, *target);
  for (const auto& [known, target] : numbers)
    if (name == known) return read(value, *target);
  return name == "rate" && read(value, to.rate);
}

}  // namespace

std::expected<SetCommand, std::string> parse_set(std::string_view line) {
  take_word(line);
  SetCommand command;
  const auto direction = take_word(line);
  if (direction == "ab") {
    command.directions = Directions::ab;
  } else if (direction == "ba") {
    command.directions = Directions::ba;
  } else if (direction != "both") {
    return std::unexpected{"the direction is ab, ba or both, not '" + std::string{direction} + "'"};
  }
  for (auto word = take_word(line); !word.empty(); word = take_word(line)) {
    const auto equals = std::min(word.find('='), word.size());
    const auto value = word.substr(std::min(equals + 1, word.size()));
    if (!apply(word.substr(0, equals), value, command.settings))
      return std::unexpected{"what is '" + std::string{word} + "'?"};
  }
  return command;
}

std::string to_json(const Path& path, const PortTally& ports) {
  const Tally& tally = path.tally();
  const std::array<std::pair<std::string_view, std::uint64_t>, 11> entries{{
      {"seen", tally.seen},
      {"too_long", tally.too_long},
      {"lost", tally.lost},
      {"queue_full", tally.queue_full},
      {"marked", tally.marked},
      {"duplicated", tally.duplicated},
      {"reordered", tally.reordered},
      {"delivered", ports.delivered},
      {"refused", ports.refused},
      {"kernel_dropped", ports.kernel_dropped},
      {"inside", path.inside()},
  }};
  std::string text;
  for (const auto& [name, count] : entries)
    text += (text.empty() ? "{\"" : ", \"") + std::string{name} + "\": " + std::to_string(count);
  return text + "}";
}

}  // namespace impair
