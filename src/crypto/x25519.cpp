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

constexpr auto no_x25519 = "OpenSSL has no X25519: is its default provider loaded?";

// Makes keys from values that are there. From x alone OpenSSL would compute y anew, which takes
// as long as the exchange itself.
class KeyMaker {
 public:
  KeyMaker() : context_(EVP_PKEY_CTX_new_from_name(nullptr, "X25519", nullptr)) {
    check(context_ != nullptr, no_x25519);
    must(EVP_PKEY_fromdata_init(context_.get()));
  }
  openssl::Key pair(const KeyPair& values) {
    std::array parameters{value(OSSL_PKEY_PARAM_PUB_KEY, values.y),
                          value(OSSL_PKEY_PARAM_PRIV_KEY, values.x), OSSL_PARAM_construct_end()};
    return make(EVP_PKEY_KEYPAIR, parameters.data());
  }
  openssl::Key public_key(Bytes y) {
    std::array parameters{value(OSSL_PKEY_PARAM_PUB_KEY, y), OSSL_PARAM_construct_end()};
    return make(EVP_PKEY_PUBLIC_KEY, parameters.data());
  }

 private:
  static OSSL_PARAM value(const char* name, Bytes bytes) {
    // OpenSSL's type serves both ways; these are only read.
    auto* const data = const_cast<std::byte*>(bytes.data());  // NOLINT
    return OSSL_PARAM_construct_octet_string(name, data, bytes.size());
  }
  openssl::Key make(int what, OSSL_PARAM* parameters) {
    EVP_PKEY* key = nullptr;
    must(EVP_PKEY_fromdata(context_.get(), &key, what, parameters));
    return openssl::Key{key};
  }

  openssl::KeyContext context_;
};

bool is_private_value(Bytes) { return true; }

void public_value(Bytes x, MutableBytes out) {
  const openssl::Key key{
      EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, input(x), x.size())};
  check(key != nullptr, no_x25519);
  std::size_t size = out.size();
  must(EVP_PKEY_get_raw_public_key(key.get(), output(out), &size));
  check(size == value_size, "an X25519 public value has 32 bytes");
}

bool agree(const KeyPair& pair, Bytes peer, MutableBytes out) {
  KeyMaker maker;
  const openssl::Key own = maker.pair(pair);
  const openssl::Key theirs = maker.public_key(peer);
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
