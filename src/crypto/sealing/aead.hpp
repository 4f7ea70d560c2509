// The suites whose cipher authenticates by itself. Nonce = 4 zero bytes || be64 sequence,
// associated data = the frame's header. The library decrypts while it authenticates, so a
// refused frame is wiped.
// Source: SP 800-38D (GCM), RFC 8439 (ChaCha20-Poly1305).
#pragma once

#include <array>
#include <cstddef>

#include "ipsec_mb.hpp"
#include "penstock/keys/secret.hpp"
#include "work.hpp"

namespace penstock {

inline constexpr std::size_t aead_tag_size = 16;
inline constexpr std::size_t aead_nonce_size = 12;
using AeadNonce = std::array<std::byte, aead_nonce_size>;

// AES-256-GCM by ipsec-mb's direct calls: it has no burst for GCM, and its jobs cost more.
class Gcm {
 public:
  using Keys = gcm_key_data;  // only for managers of one kind

  explicit Gcm(IMB_MGR* manager) : manager_(manager) {}

  void expand(const EncryptKey& encrypt, Keys& out) const;
  void seal(Batch batch) noexcept;
  [[nodiscard]] OpenedMask open(Batch batch) noexcept;

 private:
  struct Scratch {
    gcm_context_data context{};
    std::array<AeadNonce, max_batch> nonces{};
    std::array<std::byte, aead_tag_size> tag{};
  };
  void start(Batch batch) noexcept;
  static void fetch_next(Batch batch, std::size_t index) noexcept;
  void finish() noexcept;

  IMB_MGR* manager_;
  SecretBox<Scratch> scratch_;
};

// ChaCha20-Poly1305 by bursts of ipsec-mb's jobs.
class ChaCha20Poly1305 {
 public:
  struct Keys {
    std::array<std::byte, 32> key{};
  };

  explicit ChaCha20Poly1305(IMB_MGR* manager) : manager_(manager) {}

  void expand(const EncryptKey& encrypt, Keys& out) const;
  void seal(Batch batch) noexcept;
  [[nodiscard]] OpenedMask open(Batch batch) noexcept;

 private:
  struct Scratch {
    std::array<AeadNonce, max_batch> nonces{};
    std::array<std::array<std::byte, aead_tag_size>, max_batch> tags{};
  };
  void run(Batch batch, IMB_CIPHER_DIRECTION direction) noexcept;

  IMB_MGR* manager_;
  SecretBox<Scratch> scratch_;
};

}  // namespace penstock
