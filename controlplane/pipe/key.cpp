#include "controlplane/pipe/key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/limits.hpp"
#include "penstock/base/unique_fd.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock::controlplane::pipe {
namespace {

struct Content {
  SecretBuffer buffer{4096};
  std::size_t size = 0;

  [[nodiscard]] Bytes view() const { return buffer.reveal().first(size); }
};

Result<Content> read_all(int fd, const std::string& name) {
  Content content;
  for (;;) {
    if (content.size == content.buffer.reveal().size()) {
      SecretBuffer larger{content.size * 2};
      std::ranges::copy(content.view(), larger.fill().begin());
      content.buffer = std::move(larger);
    }
    const MutableBytes space = content.buffer.fill().subspan(content.size);
    const ssize_t got = ::read(fd, space.data(), space.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(fmt::format("the key file {} cannot be read", name), errno);
    if (got == 0) return content;
    content.size += static_cast<std::size_t>(got);
  }
}

std::string reason_to_warn(int fd, std::size_t size) {
  struct stat found{};
  const bool is_file = ::fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
  if (is_file && (found.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return "others may read or change it (chmod 600)";
  if (is_file && found.st_uid != ::geteuid() && found.st_uid != 0)
    return fmt::format("it belongs to user {}", found.st_uid);
  if (size < limits::min_key_file)
    return fmt::format("it has {} bytes, and {} random ones are the least that is safe", size,
                       limits::min_key_file);
  return {};
}

}  // namespace

Result<PipeKey> read_pipe_key(const std::string& file) {
  UniqueFd opened;
  const bool is_input = file == "-";
  if (!is_input) {
    opened = UniqueFd{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
    if (!opened) return fail_errno(fmt::format("the key file {} cannot be opened", file), errno);
  }
  const int fd = is_input ? STDIN_FILENO : opened.get();
  const std::string name = is_input ? "on standard input" : file;
  const auto content = read_all(fd, name);
  if (!content) return std::unexpected{content.error()};
  const std::string reason = reason_to_warn(fd, content->size);
  return PipeKey{.key = crypto::derive_file_key(content->view()),
                 .warning = reason.empty() ? ""
                                           : fmt::format("the key file {} is accepted, as spiped "
                                                         "does, although {}",
                                                         name, reason)};
}

}  // namespace penstock::controlplane::pipe
