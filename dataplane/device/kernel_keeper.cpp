#include "dataplane/device/kernel_keeper.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "penstock/base/confine.hpp"
#include "penstock/base/log.hpp"

#include "dataplane/device/kernel_shutoff.hpp"

namespace penstock::dataplane {
namespace {

// An order is one byte; so is the answer, with an error's sentence behind it.
constexpr char order_shut_off = 's';
constexpr char order_undo = 'u';
constexpr char answer_done = 'd';
constexpr char first_error_kind = 'A';  // then one letter for each
constexpr std::size_t longest_answer = 4096;

constexpr std::array kept{
    KeptCapability{CAP_NET_ADMIN, "nft's tables, interfaces up, and their IPv6 switch"}};

void say(int socket, std::string_view text) {
  while (send(socket, text.data(), text.size(), MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
}

// Empty: the other side is gone.
std::string hear(int socket) {
  std::array<char, longest_answer> text{};
  ssize_t length = 0;
  do {
    length = recv(socket, text.data(), text.size(), 0);
  } while (length < 0 && errno == EINTR);
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

void expect_order(int socket, char order) {
  if (hear(socket) != std::string_view{&order, 1}) _exit(0);
}

std::string answer_of(const Error& error) {
  return static_cast<char>(first_error_kind + static_cast<char>(error.kind)) +
         error.message.substr(0, longest_answer - 1);
}

[[noreturn]] void be_keeper(int socket, pid_t parent, const SiteConfig& config) {
  prctl(PR_SET_NAME, "penstock-keeper");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);  // it died before the line above
  keep_capabilities(kept);
  expect_order(socket, order_shut_off);
  std::optional<Result<KernelShutoff>> shutoff{KernelShutoff::start(config)};
  if (!*shutoff) {
    say(socket, answer_of(shutoff->error()));
    _exit(0);
  }
  say(socket, {&answer_done, 1});
  expect_order(socket, order_undo);
  shutoff.reset();
  say(socket, {&answer_done, 1});
  _exit(0);
}

}  // namespace

Result<KernelKeeper> KernelKeeper::fork(const SiteConfig& config) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno("cannot make a pair of sockets", errno);
  UniqueFd ours{ends[0]};
  const UniqueFd theirs{ends[1]};
  const pid_t parent = getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("cannot start the process that shuts the kernel off", errno);
  if (pid == 0) {
    ours.reset();
    be_keeper(theirs.get(), parent, config);
  }
  return KernelKeeper{std::move(ours)};
}

Result<void> KernelKeeper::shut_off() {
  say(socket_.get(), {&order_shut_off, 1});
  const std::string answer = hear(socket_.get());
  if (answer.empty())
    return fail(ErrorKind::system, "the process that shuts the kernel off has died: start again");
  if (answer.front() != answer_done)
    return fail(static_cast<ErrorKind>(answer.front() - first_error_kind), answer.substr(1));
  is_shut_off_ = true;
  return {};
}

KernelKeeper::~KernelKeeper() {
  if (!socket_ || !is_shut_off_) return;
  say(socket_.get(), {&order_undo, 1});
  if (hear(socket_.get()).empty())
    log::warn(
        "the process that shut the kernel off has died, so its filter stays until the next start: "
        "`nft list ruleset` shows it");
}

}  // namespace penstock::dataplane
