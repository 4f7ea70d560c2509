#include "controlplane/names/lookup.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>

#include <fmt/format.h>

#include "penstock/base/log.hpp"
#include "penstock/base/unique_fd.hpp"

namespace penstock::controlplane::names {
namespace {

constexpr std::size_t max_addresses = 64;  // a name has a few
constexpr int nobody_told = 1;             // no error of getaddrinfo: those are negative

// What the child writes, as a whole: less than a pipe holds.
struct Found {
  int error = nobody_told;
  std::array<sockaddr_storage, max_addresses> addresses{};
};
static_assert(sizeof(Found) < 65536);

[[noreturn]] void ask(const Question& question, int result) {
  const addrinfo wanted{.ai_flags = 0,
                        .ai_family = question.family,
                        .ai_socktype = question.socket_type,
                        .ai_protocol = 0,
                        .ai_addrlen = 0,
                        .ai_addr = nullptr,
                        .ai_canonname = nullptr,
                        .ai_next = nullptr};
  addrinfo* found = nullptr;
  const auto answer = std::make_unique<Found>();
  const char* const service = question.service.empty() ? nullptr : question.service.c_str();
  answer->error = ::getaddrinfo(question.host.c_str(), service, &wanted, &found);
  std::size_t count = 0;
  for (; answer->error == 0 && found != nullptr && count < max_addresses; found = found->ai_next)
    std::memcpy(&answer->addresses[count++], found->ai_addr, found->ai_addrlen);
  const std::size_t size = offsetof(Found, addresses) + count * sizeof(sockaddr_storage);
  ::_exit(::write(result, answer.get(), size) < 0 ? 1 : 0);
}

std::size_t read_all(int from, std::span<std::byte> out) {
  std::size_t size = 0;
  while (size < out.size()) {
    const ssize_t got = ::read(from, out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  return size;
}

Result<Addresses> judge(const Question& question, const Found& found, std::size_t size) {
  if (size < offsetof(Found, addresses) || found.error == nobody_told)
    return fail(ErrorKind::missing, fmt::format("nobody told the address of {} in time: see what "
                                                "/etc/resolv.conf names",
                                                question.host));
  if (found.error != 0)
    return fail(ErrorKind::missing, fmt::format("no address of {} was found: {}", question.host,
                                                ::gai_strerror(found.error)));
  const std::size_t count = (size - offsetof(Found, addresses)) / sizeof(sockaddr_storage);
  if (count == 0) return fail(ErrorKind::missing, fmt::format("{} has no address", question.host));
  return Addresses{found.addresses.begin(),
                   found.addresses.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

Result<Addresses> look_up(const Question& question, int channel, std::chrono::seconds bound) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("cannot look up a name", errno);
  const UniqueFd from{ends[0]};
  UniqueFd to{ends[1]};
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("cannot look up a name", errno);
  if (child == 0) {
    ::alarm(static_cast<unsigned>(bound.count()));  // nobody catches it: the end
    ::close(channel);
    if (const auto kept = keep_to_names(); !kept) {
      log::error("no name is looked up: " + kept.error().message);
      ::_exit(1);
    }
    ask(question, to.get());
  }
  to.reset();
  const auto found = std::make_unique<Found>();
  const std::size_t size = read_all(from.get(), std::as_writable_bytes(std::span{found.get(), 1}));
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
  return judge(question, *found, size);
}

}  // namespace penstock::controlplane::names
