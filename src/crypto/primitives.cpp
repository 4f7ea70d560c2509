#include "penstock/crypto/primitives.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "openssl.hpp"
#include "penstock/base/check.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock::crypto {
namespace {

using openssl::input;
using openssl::must;
using openssl::output;

// Looked up once in OpenSSL's providers; shared by all threads, never changed.
struct Algorithms {
  openssl::MessageDigest sha256{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  openssl::Mac hmac{EVP_MAC_fetch(nullptr, "HMAC", nullptr)};
  openssl::Cipher chacha20_poly1305{EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr)};
  Algorithms() {
    check(sha256 && hmac && chacha20_poly1305,
          "OpenSSL has no SHA256, HMAC or ChaCha20-Poly1305: is its default provider loaded?");
  }
};

const Algorithms& algorithms() {
  static const Algorithms all;
  return all;
}

class HmacSha256 {
 public:
  explicit HmacSha256(Bytes key) : context_(EVP_MAC_CTX_new(algorithms().hmac.get())) {
    check(context_ != nullptr, "no memory for OpenSSL");
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    // A null key would mean "the one before".
    static constexpr std::byte empty{};
    if (key.data() == nullptr) key = Bytes{&empty, 0};
    must(EVP_MAC_init(context_.get(), input(key), key.size(), parameters));
  }
  void add(Bytes part) { must(EVP_MAC_update(context_.get(), input(part), part.size())); }
  void add(std::initializer_list<Bytes> parts) {
    for (const Bytes part : parts) add(part);
  }
  void finish(std::span<std::byte, 32> out) {
    std::size_t written = 0;
    must(EVP_MAC_final(context_.get(), output(out), &written, out.size()));
    check(written == out.size(), "HMAC-SHA256 has 32 bytes");
  }

 private:
  openssl::MacContext context_;
};

struct BlockPurpose;
using Block = Secret<32, BlockPurpose>;

// Fills `out` with 32-byte blocks, the last one cut: make_block(number from 1, block).
template <class MakeBlock>
void fill_by_blocks(MutableBytes out, MakeBlock make_block) {
  Block block;
  for (std::uint32_t number = 1; !out.empty(); ++number) {
    make_block(number, block.fill());
    const std::size_t taken = std::min(out.size(), Block::size);
    std::ranges::copy(block.reveal().first(taken), out.begin());
    out = out.subspan(taken);
  }
}

int int_size(Bytes bytes) {
  check(bytes.size() <= INT_MAX, "too long for OpenSSL");
  return static_cast<int>(bytes.size());
}

openssl::CipherContext new_cipher_context() {
  openssl::CipherContext context{EVP_CIPHER_CTX_new()};
  check(context != nullptr, "no memory for OpenSSL");
  return context;
}

constexpr std::array<std::byte, 12> nonce_zero{};

}  // namespace

Digest sha256(std::initializer_list<Bytes> parts) {
  const openssl::MessageDigestContext context{EVP_MD_CTX_new()};
  check(context != nullptr, "no memory for OpenSSL");
  must(EVP_DigestInit_ex2(context.get(), algorithms().sha256.get(), nullptr));
  for (const Bytes part : parts) must(EVP_DigestUpdate(context.get(), part.data(), part.size()));
  Digest out;
  must(EVP_DigestFinal_ex(context.get(), output(out), nullptr));
  return out;
}

void hmac_sha256(Bytes key, std::initializer_list<Bytes> parts, std::span<std::byte, 32> out) {
  HmacSha256 hmac{key};
  hmac.add(parts);
  hmac.finish(out);
}

// RFC 8018 section 5.2: with one iteration T_i = HMAC(password, salt || be32 i). OpenSSL's own
// PBKDF2 would copy the salt, which holds y_IR, and free the copy without clearing it.
void pbkdf2_sha256(Bytes password, std::initializer_list<Bytes> salt, MutableBytes out) {
  fill_by_blocks(out, [&](std::uint32_t number, std::span<std::byte, 32> block) {
    std::array<std::byte, 4> index{};
    store_be32(index.data(), number);
    HmacSha256 hmac{password};
    hmac.add(salt);
    hmac.add(index);
    hmac.finish(block);
  });
}

// RFC 5869 section 2.3: T(n) = HMAC(key, T(n-1) || info || u8 n).
void hkdf_expand_sha256(std::span<const std::byte, 32> key, std::initializer_list<Bytes> info,
                        MutableBytes out) {
  check(out.size() <= std::size_t{255} * 32, "HKDF-Expand has at most 255 blocks");
  fill_by_blocks(out, [&](std::uint32_t number, std::span<std::byte, 32> block) {
    const std::array index{static_cast<std::byte>(number)};
    HmacSha256 hmac{key};
    if (number > 1) hmac.add(block);
    hmac.add(info);
    hmac.add(index);
    hmac.finish(block);
  });
}

void aead_seal_once(std::span<const std::byte, 32> key, Bytes associated, Bytes plain,
                    MutableBytes sealed) {
  check(sealed.size() == plain.size() + aead_tag, "a sealed message is its plaintext and a tag");
  const auto context = new_cipher_context();
  int written = 0;
  must(EVP_EncryptInit_ex2(context.get(), algorithms().chacha20_poly1305.get(), input(key),
                           input(nonce_zero), nullptr));
  must(
      EVP_EncryptUpdate(context.get(), nullptr, &written, input(associated), int_size(associated)));
  must(EVP_EncryptUpdate(context.get(), output(sealed), &written, input(plain), int_size(plain)));
  must(EVP_EncryptFinal_ex(context.get(), output(sealed.last(aead_tag)), &written));
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, aead_tag,
                           sealed.last(aead_tag).data()));
}

bool aead_open_once(std::span<const std::byte, 32> key, Bytes associated, Bytes sealed,
                    MutableBytes plain) {
  check(sealed.size() == plain.size() + aead_tag, "a sealed message is its plaintext and a tag");
  std::array<std::byte, aead_tag> tag{};
  std::ranges::copy(sealed.last(aead_tag), tag.begin());
  sealed = sealed.first(plain.size());
  const auto context = new_cipher_context();
  int written = 0;
  must(EVP_DecryptInit_ex2(context.get(), algorithms().chacha20_poly1305.get(), input(key),
                           input(nonce_zero), nullptr));
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, aead_tag, tag.data()));
  must(
      EVP_DecryptUpdate(context.get(), nullptr, &written, input(associated), int_size(associated)));
  must(EVP_DecryptUpdate(context.get(), output(plain), &written, input(sealed), int_size(sealed)));
  // OpenSSL decrypts before it has checked the tag.
  const bool holds = EVP_DecryptFinal_ex(context.get(), output(tag), &written) == 1;
  if (!holds) wipe(plain);
  return holds;
}

void fill_random(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    check(got >= 0 || errno == EINTR, "the kernel gave no random bytes");
    if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace penstock::crypto
