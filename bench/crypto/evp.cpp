#include "evp.hpp"

#include <array>
#include <cstring>
#include <string>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include "keys.hpp"
#include "penstock/base/check.hpp"

namespace penstock::bench {
namespace {

unsigned char* octets(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* octets(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

void must(int done) { check(done == 1, "OpenSSL refused"); }

}  // namespace

Evp::Evp(Protection protection, FrameShape shape, Direction direction)
    : protection_(protection), shape_(shape), direction_(direction), cipher_(EVP_CIPHER_CTX_new()) {
  switch (protection) {
    case Protection::aes256_ctr_sha256:
      set_keys("AES-256-CTR");
      set_mac_key("SHA256");
      break;
    case Protection::aes128_ctr_sha256:
      set_keys("AES-128-CTR");
      set_mac_key("SHA256");
      break;
    case Protection::aes256_ctr_sha384:
      set_keys("AES-256-CTR");
      set_mac_key("SHA384");
      break;
    case Protection::aes256_gcm:
      set_keys("AES-256-GCM");
      break;
    case Protection::chacha20_poly1305:
      set_keys("ChaCha20-Poly1305");
      break;
    case Protection::none:
      break;
  }
}

void Evp::set_keys(std::string_view cipher) {
  const KeyMaterial keys{0};
  EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, std::string{cipher}.c_str(), nullptr);
  const bool encrypts = direction_ == Direction::seal || !is_aead(protection_);
  must(EVP_CipherInit_ex2(cipher_.get(), fetched, octets(keys.encrypt.reveal().data()), nullptr,
                          encrypts ? 1 : 0, nullptr));
  EVP_CIPHER_free(fetched);
}

void Evp::set_mac_key(const char* digest) {
  const KeyMaterial keys{0};
  EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  mac_.reset(EVP_MAC_CTX_new(hmac));
  EVP_MAC_free(hmac);
  std::string name{digest};
  const std::array<OSSL_PARAM, 2> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
      OSSL_PARAM_construct_end()};
  must(EVP_MAC_init(mac_.get(), octets(keys.mac.reveal().data()), traits(protection_).mac_key,
                    parameters.data()));
}

void Evp::run(Frames frames) {
  if (is_aead(protection_))
    for (std::byte* const frame : frames) run_aead(frame);
  else
    for (std::byte* const frame : frames) run_ctr_hmac(frame);
}

void Evp::run_ctr_hmac(std::byte* frame) {
  if (direction_ == Direction::open) authenticate(frame);
  cipher_ctr(frame);
  if (direction_ == Direction::seal) authenticate(frame);
}

void Evp::cipher_ctr(std::byte* frame) {
  std::array<unsigned char, 16> counter{};
  std::memcpy(counter.data(), frame + frame_layout::sequence, 8);
  must(EVP_EncryptInit_ex2(cipher_.get(), nullptr, nullptr, counter.data(), nullptr));
  unsigned char* const text = octets(frame) + frame_layout::header;
  int length = 0;
  must(EVP_EncryptUpdate(cipher_.get(), text, &length, text, static_cast<int>(shape_.plaintext())));
}

void Evp::authenticate(std::byte* frame) {
  std::array<unsigned char, 64> full{};
  std::size_t length = 0;
  must(EVP_MAC_init(mac_.get(), nullptr, 0, nullptr));
  must(EVP_MAC_update(mac_.get(), octets(frame), frame_layout::header + shape_.plaintext()));
  must(EVP_MAC_final(mac_.get(), full.data(), &length, full.size()));
  std::byte* const tag = frame + shape_.size - shape_.tag;
  if (direction_ == Direction::seal)
    std::memcpy(tag, full.data(), shape_.tag);
  else
    check(CRYPTO_memcmp(tag, full.data(), shape_.tag) == 0, "a tag did not hold");
}

void Evp::run_aead(std::byte* frame) {
  std::array<unsigned char, 12> nonce{};
  std::memcpy(nonce.data() + 4, frame + frame_layout::sequence, 8);
  EVP_CIPHER_CTX* const context = cipher_.get();
  unsigned char* const text = octets(frame) + frame_layout::header;
  unsigned char* const tag = octets(frame) + shape_.size - shape_.tag;
  const bool seals = direction_ == Direction::seal;
  int length = 0;
  must(EVP_CipherInit_ex2(context, nullptr, nullptr, nonce.data(), -1, nullptr));
  must(EVP_CipherUpdate(context, nullptr, &length, octets(frame), frame_layout::header));
  must(EVP_CipherUpdate(context, text, &length, text, static_cast<int>(shape_.plaintext())));
  if (!seals) must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, shape_.tag, tag));
  must(EVP_CipherFinal_ex(context, text + length, &length));
  if (seals) must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, shape_.tag, tag));
}

}  // namespace penstock::bench
