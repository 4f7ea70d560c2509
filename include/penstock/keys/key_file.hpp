// Key files: at least 32 bytes, owned by us, readable by nobody else.
#pragma once

#include <filesystem>

#include "penstock/base/error.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock {

// The bytes of the file. Refused (ErrorKind::key, one sentence that says what to do) when
// it is missing, not a regular file, shorter than limits::min_key_file, longer than
// limits::max_key_file, or readable or writable by group or others.
[[nodiscard]] Result<SecretBuffer> read_key_file(const std::filesystem::path& path);

// Writes 32 random bytes (getrandom) to a new file of mode 0600 and syncs it; never overwrites.
[[nodiscard]] Result<void> generate_key_file(const std::filesystem::path& path);

}  // namespace penstock
