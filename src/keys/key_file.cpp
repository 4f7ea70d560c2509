#include "penstock/keys/key_file.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstddef>

#include "penstock/base/limits.hpp"
#include "penstock/keys/private_file.hpp"

namespace penstock {
namespace {

constexpr PrivateFileKind key_file{.name = "key file",
                                   .maker = "penstock genkey",
                                   .sharing = "copy the file to the other site",
                                   .min_size = limits::min_key_file,
                                   .max_size = limits::max_key_file};

bool fill_with_random(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace

Result<SecretBuffer> read_key_file(const std::filesystem::path& path) {
  return read_private_file(key_file, path);
}

Result<void> generate_key_file(const std::filesystem::path& path) {
  SecretBuffer key{limits::min_key_file};
  if (!fill_with_random(key.fill())) return fail_errno("the kernel gave no random bytes", errno);
  return write_private_file(key_file, path, key.reveal());
}

}  // namespace penstock
