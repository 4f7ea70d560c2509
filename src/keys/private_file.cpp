#include "penstock/keys/private_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include <fmt/format.h>

#include "penstock/base/unique_fd.hpp"

namespace penstock {
namespace {

std::unexpected<Error> refuse_open(const PrivateFileKind& kind, const std::string& name,
                                   int error_number) {
  switch (error_number) {
    case ENOENT:
      return fail(ErrorKind::key, fmt::format("{0} {1} does not exist: run {2} {1} and {3}",
                                              kind.name, name, kind.maker, kind.sharing));
    case EACCES:
    case EPERM:
      return fail(ErrorKind::permission,
                  fmt::format("{} {} may not be read by this user: run as its owner or as root",
                              kind.name, name));
    default:
      return fail_errno(fmt::format("{} {} cannot be opened", kind.name, name), error_number);
  }
}

Result<std::size_t> check_size(const PrivateFileKind& kind, const std::string& name,
                               std::size_t size) {
  if (size < kind.min_size)
    return fail(ErrorKind::key,
                fmt::format("{} {} has {} bytes and needs at least {}: make a new one with {} and "
                            "{}",
                            kind.name, name, size, kind.min_size, kind.maker, kind.sharing));
  if (size > kind.max_size)
    return fail(ErrorKind::key,
                fmt::format("{} {} has {} bytes and may have at most {}: name the file that {} "
                            "wrote",
                            kind.name, name, size, kind.max_size, kind.maker));
  return size;
}

// Judges the opened file itself, so that a name that is a symbolic link is as good as any.
Result<std::size_t> check_file(const PrivateFileKind& kind, const std::string& name,
                               const struct stat& found) {
  if (!S_ISREG(found.st_mode))
    return fail(ErrorKind::key,
                fmt::format("{} {} is not a regular file: name the file that {} wrote", kind.name,
                            name, kind.maker));
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail(ErrorKind::key,
                fmt::format("{0} {1} is {2} by others: run chmod 600 {1}", kind.name, name,
                            (found.st_mode & (S_IRGRP | S_IROTH)) != 0 ? "readable" : "usable"));
  if (found.st_uid != ::geteuid() && found.st_uid != 0)
    return fail(ErrorKind::key,
                fmt::format("{0} {1} belongs to user {2}, who can read it: run chown {3} {1}",
                            kind.name, name, found.st_uid, ::geteuid()));
  return check_size(kind, name, static_cast<std::size_t>(found.st_size));
}

// Reads until `out` is full or the file ends; how much came, or -1 with errno.
ssize_t read_fully(int fd, MutableBytes out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::read(fd, out.data() + done, out.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

bool write_fully(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return true;
}

// A new name is on disk only when its directory is.
bool sync_directory_of(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.parent_path();
  const UniqueFd directory{
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return directory && ::fsync(directory.get()) == 0;
}

}  // namespace

Result<SecretBuffer> read_private_file(const PrivateFileKind& kind,
                                       const std::filesystem::path& path) {
  const std::string name = path.string();
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
  if (!fd) return refuse_open(kind, name, errno);
  struct stat found{};
  if (::fstat(fd.get(), &found) != 0)
    return fail_errno(fmt::format("{} {} cannot be examined", kind.name, name), errno);
  const Result<std::size_t> size = check_file(kind, name, found);
  if (!size) return std::unexpected{size.error()};

  SecretBuffer bytes{*size};
  const ssize_t got = read_fully(fd.get(), bytes.fill());
  if (got < 0) return fail_errno(fmt::format("{} {} cannot be read", kind.name, name), errno);
  if (static_cast<std::size_t>(got) != *size)
    return fail(ErrorKind::key,
                fmt::format("{} {} changed while it was read: try again", kind.name, name));
  return bytes;
}

Result<void> write_private_file(const PrivateFileKind& kind, const std::filesystem::path& path,
                                Bytes bytes) {
  const std::string name = path.string();
  const UniqueFd fd{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!fd && errno == EEXIST)
    return fail(ErrorKind::key,
                fmt::format("{} {} exists and is never overwritten: move it away or choose another "
                            "name",
                            kind.name, name));
  if (!fd) return fail_errno(fmt::format("{} {} cannot be created", kind.name, name), errno);
  // fchmod: the umask may have taken the owner's own bits.
  if (::fchmod(fd.get(), 0600) != 0 || !write_fully(fd.get(), bytes) || ::fsync(fd.get()) != 0 ||
      !sync_directory_of(path)) {
    const int error_number = errno;
    ::unlink(path.c_str());
    return fail_errno(fmt::format("{} {} cannot be written", kind.name, name), error_number);
  }
  return {};
}

}  // namespace penstock
