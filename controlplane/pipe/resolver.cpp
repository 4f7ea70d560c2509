#include "controlplane/pipe/resolver.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/confine.hpp"
#include "penstock/base/log.hpp"

#include "controlplane/names/lookup.hpp"

namespace penstock::controlplane::pipe {
namespace {

constexpr std::size_t max_addresses = 64;
constexpr std::size_t max_question = 2048;  // a host's name, a zero, a service's
constexpr std::size_t max_answer = max_addresses * sizeof(sockaddr_storage);

// An answer is the addresses, or a sentence behind a byte that begins no address.
constexpr char refused = 0;

std::string answer_to(std::string_view question, int channel) {
  const std::size_t zero = question.find('\0');
  const auto found = names::look_up({.host = std::string{question.substr(0, zero)},
                                     .service = std::string{question.substr(zero + 1)}},
                                    channel);
  if (!found) return refused + found.error().message;
  const auto count = std::min(found->size(), max_addresses);
  return {reinterpret_cast<const char*>(found->data()), count * sizeof(sockaddr_storage)};
}

[[noreturn]] void serve(const UniqueFd& socket) {
  std::array<char, max_question> question{};
  for (;;) {
    const ssize_t size = ::recv(socket.get(), question.data(), question.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) ::_exit(0);
    const std::string answer =
        answer_to({question.data(), static_cast<std::size_t>(size)}, socket.get());
    if (::send(socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0) ::_exit(0);
  }
}

[[noreturn]] void become_child(const UniqueFd& socket, pid_t parent) {
  ::prctl(PR_SET_NAME, "penstock-names");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // it died before the line above
  // When the pipe is to end is for its process to decide on.
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_IGN);
  ::setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);
  Confinement limits{.capabilities = {},
                     .paths = names::paths_for_names(),
                     .calls = everyday_calls(),
                     .may_reach_abstract_sockets = true};
  limits.calls.push_back({SYS_recvfrom, "questions, and what name servers answer"});
  limits.calls.push_back(
      {SYS_sendto, "answers, and questions to name servers", names::no_fast_open(3)});
  names::allow_names(limits);
  if (const auto confined = confine(limits); !confined) {
    log::error("no name is looked up: " + confined.error().message);
    ::_exit(1);
  }
  serve(socket);
}

}  // namespace

void Resolver::dismiss() {
  is_ending_ = true;
  if (socket_) ::shutdown(socket_.get(), SHUT_RDWR);  // wakes the thread
  const bool may_be_asking = thread_.joinable();
  if (may_be_asking) thread_.join();
  socket_.reset();
  // One that looks a name up takes its time: it ends where it cannot answer, or with this process.
  if (child_ > 0) ::waitpid(std::exchange(child_, -1), nullptr, may_be_asking ? WNOHANG : 0);
}

Result<void> Resolver::make_child() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno("cannot make a socket for looking up names", errno);
  UniqueFd ours{ends[0]};
  const UniqueFd its{ends[1]};
  const pid_t parent = ::getpid();
  child_ = ::fork();
  if (child_ < 0) return fail_errno("cannot start a process for looking up names", errno);
  if (child_ == 0) {
    ours.reset();
    become_child(its, parent);
  }
  socket_ = std::move(ours);
  return {};
}

Result<std::vector<SocketAddress>> Resolver::look_up(const Endpoint& endpoint) {
  if (const auto* const address = std::get_if<SocketAddress>(&endpoint)) return {{*address}};
  const auto& name = std::get<HostName>(endpoint);
  if (auto addresses = numeric_addresses(name); !addresses.empty()) return addresses;
  if (!socket_)
    if (const auto made = make_child(); !made) return std::unexpected{made.error()};
  return ask(name);
}

Result<std::vector<SocketAddress>> Resolver::ask(const HostName& name) {
  const std::string question = name.host + '\0' + name.service;
  std::array<char, max_answer> answer{};
  ssize_t size = -1;
  if (question.size() <= max_question &&
      ::send(socket_.get(), question.data(), question.size(), MSG_NOSIGNAL) >= 0) {
    do {
      size = ::recv(socket_.get(), answer.data(), answer.size(), 0);
    } while (size < 0 && errno == EINTR);
  }
  const auto length = static_cast<std::size_t>(std::max<ssize_t>(size, 0));
  if (length == 0)
    return fail(ErrorKind::system,
                fmt::format("{} cannot be looked up: the process for it has ended", name.host));
  if (answer[0] == refused)
    return fail(ErrorKind::missing, std::string{answer.data() + 1, length - 1});
  std::vector<SocketAddress> addresses;
  for (std::size_t at = 0; at + sizeof(sockaddr_storage) <= length;
       at += sizeof(sockaddr_storage)) {
    sockaddr_storage address{};
    std::memcpy(&address, &answer[at], sizeof address);
    // Of a name: a Unix socket would be one of this machine's, whoever leads the child astray.
    const auto found = socket_address(address);
    if (!found)
      return fail(ErrorKind::system,
                  fmt::format("{} was given an address that is no IP address; is the process that "
                              "looks names up intact? Start this one again",
                              name.host));
    addresses.push_back(*found);
  }
  return addresses;
}

void Resolver::keep_fresh(HostName name, std::chrono::milliseconds every, Targets& targets) {
  thread_ = std::thread{
      [this, name = std::move(name), every, &targets] { refresh(name, every, targets); }};
}

void Resolver::refresh(const HostName& name, std::chrono::milliseconds every, Targets& targets) {
  constexpr std::int64_t longest = std::numeric_limits<int>::max();
  const int wait = static_cast<int>(std::min<std::int64_t>(every.count(), longest));
  bool has_failed = false;
  for (;;) {
    pollfd end{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&end, 1, wait) > 0) break;  // nothing was asked: somebody has ended
    auto found = ask(name);
    if (found)
      targets.replace(std::move(*found));
    else if (!has_failed && !is_ending_)
      log::warn(found.error().message + "; the addresses that were found last are kept");
    has_failed = !found;
  }
  if (!is_ending_)
    log::warn(name.host + " is not looked up any more, since the process for it has ended; start "
                          "this one again");
}

}  // namespace penstock::controlplane::pipe
