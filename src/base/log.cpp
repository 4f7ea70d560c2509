// The only file that knows the logging library.
#include "penstock/base/log.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>

namespace penstock::log {
namespace {

constexpr std::array level_names{
    std::pair{std::string_view{"debug"}, Level::debug},
    std::pair{std::string_view{"info"}, Level::info},
    std::pair{std::string_view{"warn"}, Level::warn},
    std::pair{std::string_view{"error"}, Level::error},
};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      break;
  }
  return spdlog::level::err;
}

// Threads of a program may write lines at once; a line is written whole.
spdlog::logger make_logger(std::string_view program, Level level) {
  spdlog::logger logger{std::string{program}, std::make_shared<spdlog::sinks::stderr_sink_mt>()};
  logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
      "%Y-%m-%dT%H:%M:%S.%eZ %l %n: %v", spdlog::pattern_time_type::utc));
  logger.set_level(to_spdlog(level));
  logger.flush_on(spdlog::level::debug);
  return logger;
}

spdlog::logger& logger() {
  static spdlog::logger the_log = make_logger("penstock", Level::info);
  return the_log;
}

// An event is one line: what a peer or a file made us say cannot forge another one.
void write(Level level, std::string_view line) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::none_of(line, is_control)) {
    logger().log(to_spdlog(level), fmt::string_view{line.data(), line.size()});
    return;
  }
  std::string clean{line};
  std::ranges::replace_if(clean, is_control, '?');
  logger().log(to_spdlog(level), clean);
}

}  // namespace

void start(std::string_view program, Level level) { logger() = make_logger(program, level); }

void to_system(std::string_view program) {
  // Its sink is opened now: later this process may be confined.
  const auto sink = std::make_shared<spdlog::sinks::syslog_sink_mt>(
      std::string{program}, LOG_PID | LOG_NDELAY, LOG_DAEMON, false);
  spdlog::logger system{std::string{program}, sink};
  system.set_level(logger().level());
  logger() = std::move(system);
}

bool parse_level(std::string_view text, Level& level) {
  const auto found =
      std::ranges::find(level_names, text, [](const auto& row) { return row.first; });
  if (found == level_names.end()) return false;
  level = found->second;
  return true;
}

void debug(std::string_view line) { write(Level::debug, line); }
void info(std::string_view line) { write(Level::info, line); }
void warn(std::string_view line) { write(Level::warn, line); }
void error(std::string_view line) { write(Level::error, line); }

bool RateLimit::allow(std::chrono::nanoseconds now, unsigned& suppressed) {
  if (now < next_) {
    ++suppressed_;
    return false;
  }
  next_ = now + interval_;
  suppressed = std::exchange(suppressed_, 0u);
  return true;
}

}  // namespace penstock::log
