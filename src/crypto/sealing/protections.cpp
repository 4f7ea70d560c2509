#include "protections.hpp"

#include <array>
#include <utility>

#include "penstock/base/check.hpp"
#include "slow_frames.hpp"

namespace penstock {
Protections::Protections(std::vector<IpsecMbManager> managers, const EnginePlan::Choices& choices)
    : managers_(std::move(managers)) {
  if (choices.is_slow) return;
  const std::vector<IMB_MGR*> raw = handles(managers_);
  fast_.emplace(Fast{
      .aes256_ctr_sha256{Protection::aes256_ctr_sha256, choices.aes256_ctr_sha256, raw},
      .aes128_ctr_sha256{Protection::aes128_ctr_sha256, choices.aes128_ctr_sha256, raw},
      .aes256_ctr_sha384{Protection::aes256_ctr_sha384, choices.aes256_ctr_sha384, raw},
      .gcm = Gcm{raw[choices.gcm]},
      .chacha20 = ChaCha20Poly1305{raw[choices.chacha20]},
  });
}

Result<Protections> Protections::create(const EnginePlan::Choices& choices) {
  auto managers = create_managers(choices.managers);
  if (!managers) return std::unexpected{managers.error()};
  return Protections{std::move(*managers), choices};
}

std::size_t Protections::keys_size(Protection protection) const {
  if (protection == Protection::none) return 0;
  if (!fast_) return sizeof(SlowFrames::Keys);
  switch (protection) {
    case Protection::aes256_gcm:
      return sizeof(Gcm::Keys);
    case Protection::chacha20_poly1305:
      return sizeof(ChaCha20Poly1305::Keys);
    default:
      return sizeof(CtrHmacKeys);
  }
}

void Protections::expand(Protection protection, const EncryptKey& encrypt, const MacKey& mac,
                         std::byte* out) {
  if (protection == Protection::none) return;
  if (!fast_) return SlowFrames::expand(protection, encrypt, mac, *::new (out) SlowFrames::Keys{});
  switch (protection) {
    case Protection::aes256_gcm:
      return fast_->gcm.expand(encrypt, *::new (out) Gcm::Keys{});
    case Protection::chacha20_poly1305:
      return fast_->chacha20.expand(encrypt, *::new (out) ChaCha20Poly1305::Keys{});
    default:
      return ctr_hmac(protection).expand(encrypt, mac, *::new (out) CtrHmacKeys{});
  }
}

CtrHmac& Protections::ctr_hmac(Protection protection) {
  switch (protection) {
    case Protection::aes128_ctr_sha256:
      return fast_->aes128_ctr_sha256;
    case Protection::aes256_ctr_sha384:
      return fast_->aes256_ctr_sha384;
    default:
      check(protection == Protection::aes256_ctr_sha256, "a protection of the table");
      return fast_->aes256_ctr_sha256;
  }
}

void Protections::seal(Protection protection, Batch batch) noexcept {
  if (protection == Protection::none) return;
  if (!fast_) [[unlikely]]
    return SlowFrames::seal(batch);
  switch (protection) {
    case Protection::aes256_gcm:
      return fast_->gcm.seal(batch);
    case Protection::chacha20_poly1305:
      return fast_->chacha20.seal(batch);
    default:
      return ctr_hmac(protection).seal(batch);
  }
}

OpenedMask Protections::open(Protection protection, Batch batch) noexcept {
  if (protection == Protection::none) return all_of(batch);
  if (!fast_) [[unlikely]]
    return SlowFrames::open(batch);
  switch (protection) {
    case Protection::aes256_gcm:
      return fast_->gcm.open(batch);
    case Protection::chacha20_poly1305:
      return fast_->chacha20.open(batch);
    default:
      return ctr_hmac(protection).open(batch);
  }
}

}  // namespace penstock
