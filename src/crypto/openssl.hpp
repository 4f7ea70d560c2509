// Handles of OpenSSL that free themselves, by the clearing variants where they hold secrets
// (the contexts' own free functions clear), and the one way its failures are taken: none of
// the functions used here can fail but for want of memory or of a provider.
#pragma once

#include <memory>

#include <openssl/bn.h>
#include <openssl/evp.h>

#include "penstock/base/bytes.hpp"
#include "penstock/base/check.hpp"

namespace penstock::crypto::openssl {

template <auto free_function>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    free_function(object);
  }
};

using BigNumber = std::unique_ptr<BIGNUM, Deleter<&BN_clear_free>>;
using BigNumberScratch = std::unique_ptr<BN_CTX, Deleter<&BN_CTX_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER, Deleter<&EVP_CIPHER_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Deleter<&EVP_CIPHER_CTX_free>>;
using Mac = std::unique_ptr<EVP_MAC, Deleter<&EVP_MAC_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Deleter<&EVP_MAC_CTX_free>>;
using MessageDigest = std::unique_ptr<EVP_MD, Deleter<&EVP_MD_free>>;
using MessageDigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<&EVP_MD_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<&EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<&EVP_PKEY_CTX_free>>;

inline void must(int result) {
  check(result == 1, "OpenSSL refused an operation that cannot fail");
}

template <class Handle>
Handle must_have(typename Handle::pointer object) {
  check(object != nullptr, "no memory for OpenSSL, or its build lacks what is asked of it");
  return Handle{object};
}
inline BigNumberScratch new_scratch() { return must_have<BigNumberScratch>(BN_CTX_new()); }

inline const unsigned char* input(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* output(MutableBytes bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace penstock::crypto::openssl
