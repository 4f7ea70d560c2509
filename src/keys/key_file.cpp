#include "penstock/keys/key_file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>

#include <fmt/format.h>

#include "penstock/base/limits.hpp"
#include "penstock/base/unique_fd.hpp"

namespace penstock {
namespace {

std::unexpected<Error> refuse_open(const std::string& name, int error_number) {
  switch (error_number) {
    case ENOENT:
      return fail(ErrorKind::key,
                  fmt::format("key file {0} does not exist: run penstock genkey {0} and copy the "
                              "file to the other site",
                              name));
    case EACCES:
    case EPERM:
      return fail(ErrorKind::permission,
                  fmt::format("key file {} may not be read by this user: run as its owner or as "
                              "root",
                              name));
    default:
      return fail_errno(fmt::format("key file {} cannot be opened", name), error_number);
  }
}

// Judges the opened file itself, so that a name that is a symbolic link is as good as any.
Result<std::size_t> check_key_file(const std::string& name, const struct stat& found) {
  if (!S_ISREG(found.st_mode))
    return fail(ErrorKind::key, fmt::format("key file {} is not a regular file: name the file "
                                            "that penstock genkey wrote",
                                            name));
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail(ErrorKind::key,
                fmt::format("key file {0} is {1} by others: run chmod 600 {0}", name,
                            (found.st_mode & (S_IRGRP | S_IROTH)) != 0 ? "readable" : "usable"));
  if (found.st_uid != ::geteuid() && found.st_uid != 0)
    return fail(ErrorKind::key, fmt::format("key file {0} belongs to user {1}, who can read it: "
                                            "run chown {2} {0}",
                                            name, found.st_uid, ::geteuid()));
  const auto size = static_cast<std::size_t>(found.st_size);
  if (size < limits::min_key_file)
    return fail(ErrorKind::key,
                fmt::format("key file {} has {} bytes and needs at least {}: make a new one with "
                            "penstock genkey and copy it to the other site",
                            name, size, limits::min_key_file));
  if (size > limits::max_key_file)
    return fail(ErrorKind::key,
                fmt::format("key file {} has {} bytes and may have at most {}: name the file that "
                            "penstock genkey wrote",
                            name, size, limits::max_key_file));
  return size;
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

bool fill_with_random(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    out = out.subspan(static_cast<std::size_t>(got));
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

Result<SecretBuffer> read_key_file(const std::filesystem::path& path) {
  const std::string name = path.string();
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
  if (!fd) return refuse_open(name, errno);
  struct stat found{};
  if (::fstat(fd.get(), &found) != 0)
    return fail_errno(fmt::format("key file {} cannot be examined", name), errno);
  const Result<std::size_t> size = check_key_file(name, found);
  if (!size) return std::unexpected{size.error()};

  SecretBuffer bytes{*size};
  const ssize_t got = read_fully(fd.get(), bytes.fill());
  if (got < 0) return fail_errno(fmt::format("key file {} cannot be read", name), errno);
  if (static_cast<std::size_t>(got) != *size)
    return fail(ErrorKind::key,
                fmt::format("key file {} changed while it was read: try again", name));
  return bytes;
}

Result<void> generate_key_file(const std::filesystem::path& path) {
  const std::string name = path.string();
  SecretBuffer key{limits::min_key_file};
  if (!fill_with_random(key.fill())) return fail_errno("the kernel gave no random bytes", errno);

  const UniqueFd fd{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!fd && errno == EEXIST)
    return fail(ErrorKind::key, fmt::format("key file {} exists and is never overwritten: move it "
                                            "away or choose another name",
                                            name));
  if (!fd) return fail_errno(fmt::format("key file {} cannot be created", name), errno);
  // fchmod: the umask may have taken the owner's own bits.
  if (::fchmod(fd.get(), 0600) != 0 || !write_fully(fd.get(), key.reveal()) ||
      ::fsync(fd.get()) != 0 || !sync_directory_of(path)) {
    const int error_number = errno;
    ::unlink(path.c_str());
    return fail_errno(fmt::format("key file {} cannot be written", name), error_number);
  }
  return {};
}

}  // namespace penstock
