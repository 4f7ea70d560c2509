#include "dataplane/device/dpdk_log.hpp"

#include <cstdio>
#include <mutex>
#include <string_view>
#include <vector>

#include <rte_log.h>

#include "penstock/base/log.hpp"

namespace penstock::dataplane {
namespace {

// DPDK has one log stream a process and may write to it from any thread until the very end,
// so this state is as global as that, and never freed.
struct Capture {
  std::mutex mutex;
  bool holding = true;
  std::vector<std::string> errors;
};

Capture& capture() {
  static auto* const state = new Capture;
  return *state;
}

void take_line(std::string_view line, bool is_error) {
  auto& state = capture();
  const std::scoped_lock lock(state.mutex);
  if (state.holding) {
    if (is_error) state.errors.emplace_back(line);
  } else if (is_error) {
    log::error(line);
  } else {
    log::warn(line);
  }
}

// DPDK flushes after every message, which is nearly always one whole line.
ssize_t write_message(void* /*cookie*/, const char* bytes, std::size_t length) {
  const int level = rte_log_cur_msg_loglevel();
  std::string_view rest{bytes, length};
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    if (!line.empty()) take_line(line, level <= static_cast<int>(RTE_LOG_ERR));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return static_cast<ssize_t>(length);
}

}  // namespace

void capture_dpdk_log() {
  cookie_io_functions_t functions{};
  functions.write = write_message;
  FILE* stream = fopencookie(nullptr, "w", functions);
  if (stream == nullptr) return;
  (void)setvbuf(stream, nullptr, _IOFBF, 4096);
  (void)rte_openlog_stream(stream);
  rte_log_set_global_level(RTE_LOG_WARNING);
}

std::string held_dpdk_errors() {
  auto& state = capture();
  const std::scoped_lock lock(state.mutex);
  std::string joined;
  for (const auto& error : state.errors) {
    if (!joined.empty()) joined += "; ";
    joined += error;
  }
  return joined;
}

void release_dpdk_log() {
  auto& state = capture();
  const std::scoped_lock lock(state.mutex);
  state.holding = false;
  state.errors.clear();
}

}  // namespace penstock::dataplane
