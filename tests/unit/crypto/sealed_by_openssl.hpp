// SAs with known keys, and frames sealed by OpenSSL one at a time: what FrameEngine is
// held against.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "penstock/base/bytes.hpp"
#include "penstock/crypto/frame_engine.hpp"
#include "penstock/keys/secret.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {

using Frame = std::vector<std::byte>;

// The same bytes in every run.
class Dice {
 public:
  void fill(MutableBytes out) {
    for (std::byte& b : out) b = static_cast<std::byte>(engine_());
  }
  [[nodiscard]] std::uint64_t number() { return engine_(); }

 private:
  std::mt19937_64 engine_{1};
};

struct TestSa {
  EncryptKey encrypt;
  MacKey mac;
  FrameShape shape;
  SaCipher cipher;

  TestSa(const FrameEngine& engine, FrameShape frame_shape, Dice& dice)
      : encrypt(random_key<EncryptKey>(dice)),
        mac(random_key<MacKey>(dice)),
        shape(frame_shape),
        cipher(engine.expand(Protection::aes256_ctr_sha256, shape, encrypt, mac)) {}

 private:
  template <class Key>
  static Key random_key(Dice& dice) {
    Key key;
    dice.fill(key.fill());
    return key;
  }
};

// A frame as the packer leaves it: header, plaintext, and anything where the tag will be.
inline Frame clear_frame(FrameShape shape, Dice& dice) {
  Frame frame(shape.size);
  dice.fill(frame);
  write_frame_header(
      std::span{frame}.first<frame_layout::header>(),
      {.spi = {static_cast<std::uint32_t>(dice.number() | 1)}, .sequence = {dice.number()}});
  return frame;
}

inline Frame sealed_by_openssl(const TestSa& sa, Frame frame) {
  const auto bytes = [](auto* at) { return reinterpret_cast<unsigned char*>(at); };
  const auto key = [](Bytes secret) {
    return reinterpret_cast<const unsigned char*>(secret.data());
  };
  std::array<std::byte, 16> counter{};
  std::copy_n(frame.begin() + frame_layout::sequence, 8, counter.begin());
  std::byte* const text = frame.data() + frame_layout::header;
  const auto text_size = static_cast<int>(sa.shape.plaintext());

  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context{
      EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
  int written = 0;
  EXPECT_EQ(EVP_EncryptInit_ex(context.get(), EVP_aes_256_ctr(), nullptr, key(sa.encrypt.reveal()),
                               bytes(counter.data())),
            1);
  EXPECT_EQ(EVP_EncryptUpdate(context.get(), bytes(text), &written, bytes(text), text_size), 1);
  EXPECT_EQ(written, text_size);

  std::array<std::byte, 32> mac{};
  EXPECT_NE(HMAC(EVP_sha256(), key(sa.mac.reveal()), 32, bytes(frame.data()),
                 frame_layout::header + sa.shape.plaintext(), bytes(mac.data()), nullptr),
            nullptr);
  std::copy_n(mac.begin(), sa.shape.tag, frame.end() - sa.shape.tag);
  return frame;
}

}  // namespace penstock
