#include "penstock/crypto/identity_file.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/base64.hpp"
#include "penstock/keys/private_file.hpp"

namespace penstock::crypto {
namespace {

// Every Ed25519 key without attributes is the same 16 bytes and the seed: 48 bytes, one line of
// base64. So it is read and written here, and the seed never leaves secret memory.
constexpr std::string_view begin = "-----BEGIN PRIVATE KEY-----\n";
constexpr std::string_view end = "\n-----END PRIVATE KEY-----\n";
constexpr std::string_view prefix{"\x30\x2e"             // a sequence of 46 bytes:
                                  "\x02\x01\x00"         // version 1
                                  "\x30\x05\x06\x03+ep"  // the algorithm 1.3.101.112, Ed25519
                                  "\x04\x22\x04\x20",  // the seed of 32 bytes, a string in a string
                                  16};
constexpr std::size_t der_size = prefix.size() + IdentitySeed::size;
constexpr std::size_t pem_size = begin.size() + base64_size(der_size) + end.size();

constexpr PrivateFileKind identity_file{
    .name = "identity file",
    .maker = "penstock identity new",
    .sharing = "put the line that it prints into the other site's config",
    .min_size = pem_size - 1,  // an editor may have taken the last newline
    .max_size = pem_size};

bool read_seed(std::string_view text, IdentitySeed& seed) {
  if (!text.starts_with(begin)) return false;
  text.remove_prefix(begin.size());
  SecretBuffer der{der_size};
  const std::size_t digits = base64_size(der_size);
  if (!read_base64(text.substr(0, digits), der.fill())) return false;
  text.remove_prefix(digits);
  if (text != end && text != end.substr(0, end.size() - 1)) return false;
  const Bytes start = der.reveal().first(prefix.size());
  if (!std::ranges::equal(start, as_bytes(prefix))) return false;
  std::ranges::copy(der.reveal().last(IdentitySeed::size), seed.fill().begin());
  return true;
}

SecretBuffer write_seed(const IdentitySeed& seed) {
  SecretBuffer der{der_size};
  std::ranges::copy(as_bytes(prefix), der.fill().begin());
  std::ranges::copy(seed.reveal(), der.fill().last(IdentitySeed::size).begin());
  SecretBuffer pem{pem_size};
  const std::span<char> text{reinterpret_cast<char*>(pem.fill().data()), pem_size};
  std::ranges::copy(begin, text.begin());
  write_base64(der.reveal(), text.subspan(begin.size(), base64_size(der_size)));
  std::ranges::copy(end, text.last(end.size()).begin());
  return pem;
}

}  // namespace

Result<IdentityKey> read_identity_file(const std::filesystem::path& path) {
  const Result<SecretBuffer> file = read_private_file(identity_file, path);
  if (!file) return std::unexpected{file.error()};
  const Bytes bytes = file->reveal();
  IdentitySeed seed;
  if (!read_seed({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, seed))
    return fail(ErrorKind::key,
                fmt::format("identity file {} holds no Ed25519 private key in PEM without a "
                            "passphrase: name the file that penstock identity new wrote",
                            path.string()));
  return IdentityKey{std::move(seed)};
}

Result<IdentityKey> generate_identity_file(const std::filesystem::path& path) {
  IdentityKey key = IdentityKey::generate();
  const SecretBuffer pem = write_seed(key.seed());
  if (const auto written = write_private_file(identity_file, path, pem.reveal()); !written)
    return std::unexpected{written.error()};
  return key;
}

}  // namespace penstock::crypto
