// RFC 7748, from OpenSSL.
#include <openssl/evp.h>

#include "diffie_hellman.hpp"
#include "openssl.hpp"
#include "penstock/base/check.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock::crypto::x25519 {
namespace {

using openssl::input;
using openssl::must;
using openssl::output;

openssl::Key must_have(EVP_PKEY* key) {
  check(key != nullptr, "OpenSSL has no X25519: is its default provider loaded?");
  return openssl::Key{key};
}

openssl::Key private_key(PrivateValue x) {
  return must_have(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, input(x), x.size()));
}

}  // namespace

void public_value(PrivateValue x, Value out) {
  std::size_t size = out.size();
  must(EVP_PKEY_get_raw_public_key(private_key(x).get(), output(out), &size));
  check(size == out.size(), "an X25519 public value has 32 bytes");
}

bool agree(PrivateValue x, std::span<const std::byte, 32> peer, Value out) {
  const openssl::Key own = private_key(x);
  const openssl::Key theirs = must_have(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, input(peer), peer.size()));
  const openssl::KeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, own.get(), nullptr)};
  check(context != nullptr, "no memory for OpenSSL");
  must(EVP_PKEY_derive_init(context.get()));
  // No check of the peer's key here: OpenSSL would only look at its length.
  must(EVP_PKEY_derive_set_peer_ex(context.get(), theirs.get(), 0));
  std::size_t size = out.size();
  // OpenSSL refuses an all-zero result itself (RFC 7748 section 6.1); so do we.
  if (EVP_PKEY_derive(context.get(), output(out), &size) != 1) return false;
  static constexpr std::byte zero[32]{};
  return size == out.size() && !equal_constant_time(out, zero);
}

}  // namespace penstock::crypto::x25519
