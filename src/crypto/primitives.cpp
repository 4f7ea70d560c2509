#include "penstock/crypto/primitives.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <climits>

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
  openssl::Cipher chacha20_poly1305{EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr)};
  Algorithms() {
    check(sha256 && chacha20_poly1305,
          "OpenSSL has no SHA256 or ChaCha20-Poly1305: is its default provider loaded?");
  }
};

const Algorithms& algorithms() {
  static const Algorithms all;
  return all;
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) { check(context_ != nullptr, "no memory for OpenSSL"); }
  void begin() { must(EVP_DigestInit_ex2(context_.get(), algorithms().sha256.get(), nullptr)); }
  void add(Bytes part) { must(EVP_DigestUpdate(context_.get(), part.data(), part.size())); }
  void finish(std::span<std::byte, 32> out) {
    must(EVP_DigestFinal_ex(context_.get(), output(out), nullptr));
  }

 private:
  openssl::MessageDigestContext context_;
};

// RFC 2104: H(key ^ opad || H(key ^ ipad || text)). OpenSSL's own looks its hash up by name for
// every key, which costs a short message three times what hashing does.
class HmacSha256 {
 public:
  explicit HmacSha256(Bytes key) {
    if (key.size() > Pad::size) {
      hash_.begin();
      hash_.add(key);
      hash_.finish(pad_.fill().first<32>());
    } else {
      std::ranges::copy(key, pad_.fill().begin());
    }
    begin_with(inner);
  }
  void add(Bytes part) { hash_.add(part); }
  void add(std::initializer_list<Bytes> parts) {
    for (const Bytes part : parts) add(part);
  }
  void finish(std::span<std::byte, 32> out) {
    hash_.finish(out);
    begin_with(inner ^ outer);
    hash_.add(out);
    hash_.finish(out);
  }

 private:
  struct PadPurpose;
  using Pad = Secret<64, PadPurpose>;  // a block of the hash
  static constexpr std::byte inner{0x36};
  static constexpr std::byte outer{0x5c};

  void begin_with(std::byte mask) {
    for (std::byte& byte : pad_.fill()) byte ^= mask;
    hash_.begin();
    hash_.add(pad_.reveal());
  }

  Sha256 hash_;
  Pad pad_;
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
  Sha256 hash;
  hash.begin();
  for (const Bytes part : parts) hash.add(part);
  Digest out;
  hash.finish(out);
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
