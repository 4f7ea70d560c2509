#include "slow_frames.hpp"

#include <algorithm>
#include <cstring>

#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

namespace penstock {
namespace {

using crypto::openssl::CipherContext;
using crypto::openssl::input;
using crypto::openssl::must;
using crypto::openssl::output;
using Keys = SlowFrames::Keys;
using FullTag = SlowFrames::FullTag;

constexpr std::size_t aead_tag = 16;
constexpr int decrypt = 0;
constexpr int encrypt = 1;

const Keys& keys_of(const Work& work) { return *reinterpret_cast<const Keys*>(work.keys); }
MutableBytes text_of(const Work& work) { return {work.text(), work.text_size()}; }
Bytes mac_text_of(const Work& work) { return {work.frame, work.under_mac()}; }
int length(Bytes bytes) { return static_cast<int>(bytes.size()); }

const EVP_CIPHER* cipher_of(Protection protection) {
  switch (protection) {
    case Protection::aes128_ctr_sha256:
      return EVP_aes_128_ctr();
    case Protection::aes256_gcm:
      return EVP_aes_256_gcm();
    case Protection::chacha20_poly1305:
      return EVP_chacha20_poly1305();
    case Protection::aes256_ctr_sha256:
    case Protection::aes256_ctr_sha384:
      return EVP_aes_256_ctr();
    case Protection::none:
      break;
  }
  check(false, "a protection that encrypts");
  return nullptr;
}

std::span<const std::byte, 8> number_of(const Work& work) {
  return std::span<const std::byte, 8>{work.frame + frame_layout::sequence, 8};
}

CipherContext begin(const Keys& keys, Bytes iv, int direction) {
  CipherContext context{EVP_CIPHER_CTX_new()};
  check(context != nullptr, "no memory for OpenSSL");
  must(EVP_CipherInit_ex(context.get(), cipher_of(keys.protection), nullptr, input(keys.encrypt),
                         input(iv), direction));
  return context;
}

void update(EVP_CIPHER_CTX* context, MutableBytes text) {
  int written = 0;
  must(EVP_CipherUpdate(context, output(text), &written, input(text), length(text)));
}

// Seals or opens; false where the tag of a frame to open does not hold.
bool run_aead(const Work& work, int direction) {
  std::array<std::byte, 12> nonce{};
  std::ranges::copy(number_of(work), nonce.begin() + 4);
  const CipherContext context = begin(keys_of(work), nonce, direction);
  int written = 0;
  must(EVP_CipherUpdate(context.get(), nullptr, &written, input({work.frame, frame_layout::header}),
                        frame_layout::header));
  update(context.get(), text_of(work));
  std::array<std::byte, aead_tag> unused;
  if (direction == decrypt)
    must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, aead_tag, work.tag()));
  const bool holds = EVP_CipherFinal_ex(context.get(), output(unused), &written) == 1;
  if (direction == encrypt)
    must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, aead_tag, work.tag()));
  return holds;
}

void seal_one(const Work& work) {
  if (is_aead(keys_of(work).protection)) {
    must(run_aead(work, encrypt) ? 1 : 0);
    return;
  }
  SlowFrames::run_ctr(keys_of(work), number_of(work), text_of(work));
  const FullTag tag = SlowFrames::hmac(keys_of(work), mac_text_of(work));
  std::memcpy(work.tag(), tag.data(), work.tag_size);
}

bool open_one(const Work& work) {
  if (is_aead(keys_of(work).protection)) {
    const bool holds = run_aead(work, decrypt);
    if (!holds) wipe(text_of(work));
    return holds;
  }
  FullTag tag = SlowFrames::hmac(keys_of(work), mac_text_of(work));
  const bool holds =
      equal_constant_time(Bytes{tag}.first(work.tag_size), {work.tag(), work.tag_size});
  wipe(tag);
  if (holds) SlowFrames::run_ctr(keys_of(work), number_of(work), text_of(work));
  return holds;
}

}  // namespace

void SlowFrames::expand(Protection protection, const EncryptKey& encrypt_key, const MacKey& mac,
                        Keys& out) {
  out.protection = protection;
  std::ranges::copy(encrypt_key.reveal(), out.encrypt.begin());
  std::ranges::copy(mac.reveal(), out.mac.begin());
}

void SlowFrames::run_ctr(const Keys& keys, std::span<const std::byte, 8> number,
                         MutableBytes text) {
  std::array<std::byte, 16> counter{};
  std::ranges::copy(number, counter.begin());
  update(begin(keys, counter, encrypt).get(), text);
}

FullTag SlowFrames::hmac(const Keys& keys, Bytes text) {
  FullTag tag{};
  const EVP_MD* const hash =
      keys.protection == Protection::aes256_ctr_sha384 ? EVP_sha384() : EVP_sha256();
  const auto* const made = HMAC(hash, keys.mac.data(), traits(keys.protection).mac_key, input(text),
                                text.size(), output(tag), nullptr);
  check(made != nullptr, "OpenSSL refused an operation that cannot fail");
  return tag;
}

void SlowFrames::seal(Batch batch) {
  for (const Work& work : batch) seal_one(work);
}

OpenedMask SlowFrames::open(Batch batch) {
  OpenedMask opened = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) opened |= OpenedMask{open_one(batch[i])} << i;
  return opened;
}

}  // namespace penstock
