// The code of every protection, as an engine of one plan holds it, and the one place where a
// protection's number becomes its code: once a batch, never a virtual call a frame.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "aead.hpp"
#include "choices.hpp"
#include "ctr_hmac.hpp"
#include "ipsec_mb.hpp"
#include "penstock/crypto/engine_plan.hpp"
#include "work.hpp"

namespace penstock {

class Protections {
 public:
  [[nodiscard]] static Result<Protections> create(const EnginePlan::Choices& choices);

  // Bytes of expanded keys; 0 where there are none.
  [[nodiscard]] std::size_t keys_size(Protection protection) const;
  // `out` has that many bytes, zeroed and 64-byte aligned.
  void expand(Protection protection, const EncryptKey& encrypt, const MacKey& mac, std::byte* out);

  // Frames of one protection, at most 64; their headers are in place.
  void seal(Protection protection, Batch batch) noexcept;
  [[nodiscard]] OpenedMask open(Protection protection, Batch batch) noexcept;

 private:
  struct Fast {
    CtrHmac aes256_ctr_sha256;
    CtrHmac aes128_ctr_sha256;
    CtrHmac aes256_ctr_sha384;
    Gcm gcm;
    ChaCha20Poly1305 chacha20;
  };
  Protections(std::vector<IpsecMbManager> managers, const EnginePlan::Choices& choices);
  [[nodiscard]] CtrHmac& ctr_hmac(Protection protection);

  std::vector<IpsecMbManager> managers_;
  std::optional<Fast> fast_;  // none: OpenSSL does everything
};

}  // namespace penstock
