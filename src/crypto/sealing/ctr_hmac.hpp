// Frames under AES in counter mode and HMAC-SHA-2: encrypted, then MACed over header and
// ciphertext, a batch at a time.
#pragma once

#include <cstddef>
#include <span>

#include "ctr_hmac_bursts.hpp"
#include "work.hpp"

namespace penstock {

class CtrHmac {
 public:
  // The managers outlive it.
  CtrHmac(Protection protection, CtrHmacChoice choice, std::span<IMB_MGR* const> managers);

  void expand(const EncryptKey& encrypt, const MacKey& mac, CtrHmacKeys& out) const {
    bursts_.expand(encrypt, mac, out);
  }

  // At most max_batch frames.
  void seal(Batch batch) noexcept;
  // MAC first: a refused frame's bytes stay as they came.
  [[nodiscard]] OpenedMask open(Batch batch) noexcept;

  // --- the steps, for measuring ---------------------------------------------------------
  void add_jobs(Batch batch) noexcept;
  [[nodiscard]] CtrHmacBursts& bursts() { return bursts_; }

 private:
  void fetch_keys(Batch batch) const noexcept;
  void decrypt_some(Batch batch, OpenedMask opened) noexcept;
  [[nodiscard]] OpenedMask verify(Batch batch) noexcept;

  CtrHmacBursts bursts_;
};

}  // namespace penstock
