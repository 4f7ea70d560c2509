// Where a site keeps its identity: a PKCS #8 file (RFC 8410) such as `openssl pkey` reads and
// `openssl genpkey -algorithm ed25519` writes, under the rules of key files.
#pragma once

#include <filesystem>

#include "penstock/base/error.hpp"
#include "penstock/crypto/identity.hpp"

namespace penstock::crypto {

[[nodiscard]] Result<IdentityKey> read_identity_file(const std::filesystem::path& path);

// Writes a new identity to a new file of mode 0600.
[[nodiscard]] Result<IdentityKey> generate_identity_file(const std::filesystem::path& path);

}  // namespace penstock::crypto
