// Files that nobody but their owner may read: key files and identities, under the same rules.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "penstock/base/error.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock {

// How an operator knows the files of one kind.
struct PrivateFileKind {
  std::string_view name;     // "key file"
  std::string_view maker;    // the command that makes one, before the file's name
  std::string_view sharing;  // what to do with a new one
  std::size_t min_size = 0;
  std::size_t max_size = 0;
};

// The bytes of the file. Refused (ErrorKind::key, one sentence that says what to do) when it is
// missing, not a regular file, not of a size between the kind's, readable or writable by group or
// others, or neither ours nor root's.
[[nodiscard]] Result<SecretBuffer> read_private_file(const PrivateFileKind& kind,
                                                     const std::filesystem::path& path);

// Writes a new file of mode 0600 and syncs it; never overwrites.
[[nodiscard]] Result<void> write_private_file(const PrivateFileKind& kind,
                                              const std::filesystem::path& path, Bytes bytes);

}  // namespace penstock
