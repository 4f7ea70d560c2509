// RFC 7748, from OpenSSL.
#include <array>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "diffie_hellman.hpp"
#include "openssl.hpp"
#include "penstock/base/check.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock::crypto {
namespace {

using openssl::input;
using openssl::must;
using openssl::output;

constexpr std::size_t value_size = 32;

openssl::Key must_have(EVP_PKEY* key) {
  check(key != nullptr, "OpenSSL has no X25519: is its default provider loaded?");
  return openssl::Key{key};
}

// From both values: from x alone OpenSSL computes y, which is as long as the exchange itself.
openssl::Key key_of(const KeyPair& pair) {
  const openssl::KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, "X25519", nullptr)};
  check(context != nullptr, "OpenSSL has no X25519: is its default provider loaded?");
  must(EVP_PKEY_fromdata_init(context.get()));
  // The parameters are not const, but read only.
  const auto parameter = [](const char* name, Bytes value) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::byte*>(value.data()),
                                             value.size());
  };
  std::array parameters{parameter(OSSL_PKEY_PARAM_PUB_KEY, pair.y),
                        parameter(OSSL_PKEY_PARAM_PRIV_KEY, pair.x), OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  must(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.data()));
  return must_have(key);
}

bool is_private_value(Bytes) { return true; }

void public_value(Bytes x, MutableBytes out) {
  std::size_t size = out.size();
  const openssl::Key key =
      must_have(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, input(x), x.size()));
  must(EVP_PKEY_get_raw_public_key(key.get(), output(out), &size));
  check(size == value_size, "an X25519 public value has 32 bytes");
}

bool agree(const KeyPair& pair, Bytes peer, MutableBytes out) {
  const openssl::Key own = key_of(pair);
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
  static constexpr std::array<std::byte, value_size> zero{};
  return size == value_size && !equal_constant_time(out, zero);
}

}  // namespace

constinit const Group x25519{&is_private_value, &public_value, &agree};

}  // namespace penstock::crypto
