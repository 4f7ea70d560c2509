#include "penstock/crypto/identity.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "openssl.hpp"
#include "openssl_memory.hpp"
#include "penstock/base/check.hpp"
#include "penstock/crypto/primitives.hpp"

namespace penstock::crypto {
namespace {

using openssl::input;
using openssl::must;
using openssl::output;

constexpr auto no_ed25519 = "OpenSSL has no Ed25519: is its default provider loaded?";

// Ed25519 reads its text twice, so OpenSSL takes it only in one piece.
std::vector<std::byte> joined(std::initializer_list<Bytes> parts) {
  std::vector<std::byte> text;
  for (const Bytes part : parts) text.insert(text.end(), part.begin(), part.end());
  return text;
}

IdentityPublic public_key_of(const IdentitySeed& seed) {
  const openssl::Key key{EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr,
                                                         input(seed.reveal()), IdentitySeed::size)};
  check(key != nullptr, no_ed25519);
  IdentityPublic out;
  std::size_t size = out.bytes.size();
  must(EVP_PKEY_get_raw_public_key(key.get(), output(out.bytes), &size));
  check(size == IdentityPublic::size, "an Ed25519 public key has 32 bytes");
  return out;
}

// From the seed alone OpenSSL would compute the public key anew, at half a signature's price.
openssl::Key key_pair(const IdentitySeed& seed, const IdentityPublic& public_key) {
  const auto value = [](const char* name, Bytes bytes) {
    // OpenSSL's type serves both ways; these are only read.
    auto* const data = const_cast<std::byte*>(bytes.data());  // NOLINT
    return OSSL_PARAM_construct_octet_string(name, data, bytes.size());
  };
  std::array parameters{value(OSSL_PKEY_PARAM_PUB_KEY, public_key.bytes),
                        value(OSSL_PKEY_PARAM_PRIV_KEY, seed.reveal()), OSSL_PARAM_construct_end()};
  const openssl::KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, "ED25519", nullptr)};
  check(context != nullptr, no_ed25519);
  must(EVP_PKEY_fromdata_init(context.get()));
  EVP_PKEY* key = nullptr;
  must(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.data()));
  return openssl::Key{key};
}

openssl::MessageDigestContext new_context() {
  openssl::MessageDigestContext context{EVP_MD_CTX_new()};
  check(context != nullptr, "no memory for OpenSSL");
  return context;
}

}  // namespace

IdentityKey::IdentityKey(IdentitySeed seed)
    : seed_(std::move(seed)), public_key_(public_key_of(seed_)) {
  openssl::wipe_stack_below();
}

IdentityKey IdentityKey::generate() {
  IdentitySeed seed;
  fill_random(seed.fill());
  return IdentityKey{std::move(seed)};
}

Signature IdentityKey::sign(std::initializer_list<Bytes> parts) const {
  const std::vector<std::byte> text = joined(parts);
  Signature signature{};
  std::size_t size = signature.size();
  {
    const openssl::Key key = key_pair(seed_, public_key_);
    const auto context = new_context();
    must(EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(),
                               nullptr));
    must(EVP_DigestSign(context.get(), output(signature), &size, input(text), text.size()));
  }
  openssl::wipe_stack_below();
  check(size == signature.size(), "an Ed25519 signature has 64 bytes");
  return signature;
}

bool is_signed_by(const IdentityPublic& key, std::initializer_list<Bytes> parts,
                  const Signature& signature) {
  const std::vector<std::byte> text = joined(parts);
  const openssl::Key theirs{EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr,
                                                           input(key.bytes), key.bytes.size())};
  check(theirs != nullptr, no_ed25519);
  const auto context = new_context();
  must(EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, theirs.get(),
                               nullptr));
  return EVP_DigestVerify(context.get(), input(signature), signature.size(), input(text),
                          text.size()) == 1;
}

}  // namespace penstock::crypto
