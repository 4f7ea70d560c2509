// Capabilities and Landlock's rules belong to a thread, and DPDK has started threads before we
// may give anything up; so each of them is made to give it up itself.
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>

#include "confine_parts.hpp"

namespace penstock::confinement {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 1s;
// A signal that comes late, or stays blocked, does no harm: by default it is ignored.
constexpr int signal_number = SIGURG;

enum class Outcome : int { none, done, failed };

struct Errand {
  // Set before the first signal is sent.
  bool (*action)(const void*) = nullptr;
  const void* data = nullptr;
  // The thread that is on its way. Written by the one that sends, and taken back to 0 by whoever
  // comes first: that one when its patience ends, or the handler. So nobody runs another's.
  std::atomic<pid_t> sent{0};
  std::atomic<Outcome> outcome{Outcome::none};  // written by the handler
};

// Of the process, as the handler of a signal is; no guard stands before it.
Errand& errand() {
  static constinit Errand the_errand;
  return the_errand;
}

bool take_back(pid_t thread) {
  return errand().sent.compare_exchange_strong(thread, 0, std::memory_order_acq_rel);
}

void run_errand(int) {
  const int saved = errno;
  if (take_back(::gettid()))
    errand().outcome.store(errand().action(errand().data) ? Outcome::done : Outcome::failed,
                           std::memory_order_release);
  errno = saved;
}

std::vector<pid_t> threads_of_this_process() {
  std::vector<pid_t> threads;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    const std::string name = entry.path().filename().string();
    pid_t id = 0;
    std::from_chars(name.data(), name.data() + name.size(), id);
    if (id != ::gettid()) threads.push_back(id);
  }
  return threads;
}

bool send_on_errand(pid_t thread) {
  errand().outcome.store(Outcome::none, std::memory_order_relaxed);
  errand().sent.store(thread, std::memory_order_release);
  if (syscall(SYS_tgkill, getpid(), thread, signal_number) != 0) {
    take_back(thread);
    return errno == ESRCH;  // it has ended
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (errand().outcome.load(std::memory_order_acquire) == Outcome::none) {
    if (std::chrono::steady_clock::now() > deadline && take_back(thread)) return false;
    std::this_thread::sleep_for(50us);
  }
  return errand().outcome.load(std::memory_order_acquire) == Outcome::done;
}

}  // namespace

std::vector<pid_t> on_every_thread(bool (*action)(const void*), const void* data) {
  errand().action = action;
  errand().data = data;
  struct sigaction handler{};
  handler.sa_handler = run_errand;
  handler.sa_flags = SA_RESTART;
  struct sigaction before{};
  sigaction(signal_number, &handler, &before);
  std::vector<pid_t> reached;
  std::vector<pid_t> missed;
  // Again until there is no new one: a thread may have been started meanwhile by another.
  for (bool is_complete = false; !is_complete;) {
    is_complete = true;
    for (const pid_t thread : threads_of_this_process()) {
      if (std::ranges::find(reached, thread) != reached.end()) continue;
      is_complete = false;
      reached.push_back(thread);
      if (!send_on_errand(thread)) missed.push_back(thread);
    }
  }
  sigaction(signal_number, &before, nullptr);
  if (!action(data)) missed.push_back(::gettid());
  return missed;
}

}  // namespace penstock::confinement
