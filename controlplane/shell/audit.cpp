#include "controlplane/shell/audit.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/log.hpp"

namespace penstock::controlplane {
namespace {

// As in the log: UTC, with milliseconds.
std::string time_now() {
  using namespace std::chrono;
  const auto now = system_clock::now();
  const std::time_t seconds = system_clock::to_time_t(floor<std::chrono::seconds>(now));
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  const auto rest = duration_cast<milliseconds>(now - floor<std::chrono::seconds>(now)).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, rest);
}

// What a peer or a file made us say cannot forge another line.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

}  // namespace

void AuditLog::write(std::string_view event, std::string_view details) {
  log::info(fmt::format("audit: {}{}{}", event, details.empty() ? "" : " ", details));
  if (file_) append(event, details);
}

void AuditLog::append(std::string_view event, std::string_view details) {
  const std::string line =
      fmt::format("{}{} {}\n", ends_in_a_line_ ? "" : "\n", time_now(),
                  one_line(fmt::format("{}{}{}", event, details.empty() ? "" : " ", details)));
  const ssize_t written = ::write(file_.get(), line.data(), line.size());
  const int error = written < 0 ? errno : ENOSPC;
  if (written == static_cast<ssize_t>(line.size())) {
    ends_in_a_line_ = true;
    is_failing_ = false;
    return;
  }
  if (written > 0) ends_in_a_line_ = false;
  if (std::exchange(is_failing_, true)) return;
  log::error(fail_errno("security events go to this log alone, since the audit log cannot be "
                        "written",
                        error)
                 .error()
                 .message);
}

void AuditLog::reopened(Result<UniqueFd> file) {
  if (!file) return log::error(file.error().message);
  if (!*file) return;
  file_ = std::move(*file);
  is_failing_ = false;
  ends_in_a_line_ = true;
}

}  // namespace penstock::controlplane
