// Frames sealed by OpenSSL one at a time, from docs/protocol.md section "Frames" alone: what
// FrameEngine is held against. It shares no code with the engine, not even the header's.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "penstock/base/bytes.hpp"
#include "penstock/base/suite.hpp"
#include "test_sa.hpp"

namespace penstock::oracle {

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

inline const unsigned char* in(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* out(MutableBytes bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

inline CipherContext begin(const EVP_CIPHER* cipher, Bytes key, Bytes iv) {
  CipherContext context{EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
  EXPECT_EQ(EVP_EncryptInit_ex(context.get(), cipher, nullptr, in(key), in(iv)), 1);
  return context;
}

inline void update(const CipherContext& context, MutableBytes text) {
  int written = 0;
  EXPECT_EQ(EVP_EncryptUpdate(context.get(), out(text), &written, in(text),
                              static_cast<int>(text.size())),
            1);
  EXPECT_EQ(written, static_cast<int>(text.size()));
}

// AES-128 or AES-256 in counter mode, by the key's length, in place.
inline void ctr(Bytes key, Bytes counter, MutableBytes text) {
  update(begin(key.size() == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr(), key, counter), text);
}

// The whole MAC: SHA-256 for 32 bytes, SHA-384 for 48.
inline void hmac(Bytes key, Bytes data, MutableBytes mac) {
  const EVP_MD* const hash = mac.size() == 48 ? EVP_sha384() : EVP_sha256();
  EXPECT_NE(
      HMAC(hash, in(key), static_cast<int>(key.size()), in(data), data.size(), out(mac), nullptr),
      nullptr);
}

// AES-256-GCM or ChaCha20-Poly1305, in place.
inline void aead(Protection protection, Bytes key, Bytes nonce, Bytes associated, MutableBytes text,
                 MutableBytes tag) {
  const CipherContext context =
      begin(protection == Protection::aes256_gcm ? EVP_aes_256_gcm() : EVP_chacha20_poly1305(), key,
            nonce);
  int written = 0;
  EXPECT_EQ(EVP_EncryptUpdate(context.get(), nullptr, &written, in(associated),
                              static_cast<int>(associated.size())),
            1);
  update(context, text);
  EXPECT_EQ(EVP_EncryptFinal_ex(context.get(), out(tag), &written), 1);
  EXPECT_EQ(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()),
                                tag.data()),
            1);
}

// Type 5, version 1, be16 zero, be32 SPI, be64 sequence.
inline std::array<std::byte, 16> header(Spi spi, std::uint64_t sequence) {
  std::array<std::byte, 16> bytes{std::byte{5}, std::byte{1}};
  store_be32(&bytes[4], spi.value);
  store_be64(&bytes[8], sequence);
  return bytes;
}

}  // namespace penstock::oracle

namespace penstock {

// What `clear` becomes as that frame of this SA.
inline Frame sealed_by_openssl(const TestSa& sa, std::uint64_t sequence, Frame frame) {
  const auto head = oracle::header(sa.spi, sequence);
  std::ranges::copy(head, frame.begin());
  const auto text = MutableBytes{frame}.subspan(16, std::size_t{sa.shape.size} - 16 - sa.shape.tag);
  const auto tag = MutableBytes{frame}.last(sa.shape.tag);
  const ProtectionTraits& kind = traits(sa.protection);
  const Bytes key = sa.encrypt.reveal().first(kind.encrypt_key);
  if (is_aead(sa.protection)) {
    std::array<std::byte, 12> nonce{};
    store_be64(&nonce[4], sequence);
    oracle::aead(sa.protection, key, nonce, head, text, tag);
  } else if (kind.mac_key != 0) {
    std::array<std::byte, 16> counter{};
    store_be64(counter.data(), sequence);
    oracle::ctr(key, counter, text);
    std::vector<std::byte> mac(kind.max_tag);
    oracle::hmac(sa.mac.reveal().first(kind.mac_key), Bytes{frame}.first(16 + text.size()), mac);
    std::copy_n(mac.begin(), tag.size(), tag.begin());
  }
  return frame;
}

}  // namespace penstock
