// The log: one line an event on standard error, with time, level and program.
// Steps of the packet path never log; what happens there is counted.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace penstock::log {

enum class Level { debug, info, warn, error };

// Call once from main, before the first line. `program` stands in every line.
void start(std::string_view program, Level level);
// From here on lines go to the system's log in place of standard error.
void to_system(std::string_view program);
[[nodiscard]] bool parse_level(std::string_view text, Level& level);

void debug(std::string_view line);
void info(std::string_view line);
void warn(std::string_view line);
void error(std::string_view line);

// Lets one line through per interval and says how many it held back. One thread.
class RateLimit {
 public:
  explicit RateLimit(std::chrono::nanoseconds interval) : interval_(interval) {}
  // True when a line may be written now; `suppressed` is how many were not since.
  [[nodiscard]] bool allow(std::chrono::nanoseconds now, unsigned& suppressed);

 private:
  std::chrono::nanoseconds interval_;
  std::chrono::nanoseconds next_{};
  unsigned suppressed_ = 0;
};

}  // namespace penstock::log
