// What could be left in memory of the keys of an SA: the keys, and what is computed from them
// before the first frame.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <intel-ipsec-mb.h>

#include "memory_search.hpp"
#include "penstock/keys/secret.hpp"
#include "test_sa.hpp"

namespace penstock {

class SaSecrets {
 public:
  // The forms that the library has for this CPU's vectors differ, so all are looked for.
  void add(const TestSa& sa) {
    of_ = to_string(sa.protection);
    const ProtectionTraits& kind = traits(sa.protection);
    add("key", sa.encrypt.reveal().first(kind.encrypt_key));
    add("MAC key", sa.mac.reveal().first(kind.mac_key));
    keys_.resize(needles_.size(), true);
    for (const auto& [init, flags] : {std::pair{&init_mb_mgr_sse, IMB_CPUFLAGS_SSE},
                                      {&init_mb_mgr_avx2, IMB_CPUFLAGS_AVX2},
                                      {&init_mb_mgr_avx512, IMB_CPUFLAGS_AVX512}}) {
      if ((imb_get_feature_flags() & flags) != flags) continue;
      const std::unique_ptr<IMB_MGR, decltype(&free_mb_mgr)> manager{alloc_mb_mgr(0), &free_mb_mgr};
      init(manager.get());
      add_expanded(manager.get(), sa, kind);
    }
    keys_.resize(needles_.size(), false);
  }

  [[nodiscard]] const std::vector<Needle>& needles() const { return needles_; }
  [[nodiscard]] const std::string& name(std::size_t i) const { return names_[i]; }
  // Part of a key itself.
  [[nodiscard]] bool is_key(std::size_t i) const { return keys_[i]; }

 private:
  void add_expanded(IMB_MGR* manager, const TestSa& sa, const ProtectionTraits& kind) {
    const std::byte* const key = sa.encrypt.reveal().data();
    SecretBuffer schedule{16 * 15};
    SecretBuffer other{16 * 15};
    if (sa.protection == Protection::aes128_ctr_sha256)
      IMB_AES_KEYEXP_128(manager, key, schedule.fill().data(), other.fill().data());
    else if (sa.protection != Protection::chacha20_poly1305)
      IMB_AES_KEYEXP_256(manager, key, schedule.fill().data(), other.fill().data());
    add("round key", schedule.reveal().subspan(kind.encrypt_key));
    add("round key", other.reveal());
    if (sa.protection == Protection::aes256_gcm) {
      SecretBuffer tables{sizeof(gcm_key_data)};
      IMB_AES256_GCM_PRE(manager, key, reinterpret_cast<gcm_key_data*>(tables.fill().data()));
      add("GCM table", tables.reveal().subspan(16 * 15));
    }
    if (kind.mac_key != 0) {
      add_mac_state(manager, sa, kind.mac_key, std::byte{0x36});
      add_mac_state(manager, sa, kind.mac_key, std::byte{0x5c});
    }
  }
  void add_mac_state(IMB_MGR* manager, const TestSa& sa, std::size_t size, std::byte pad) {
    SecretBuffer block{size == 48 ? 128u : 64u};
    std::ranges::fill(block.fill(), pad);
    for (std::size_t i = 0; i < size; ++i) block.fill()[i] ^= sa.mac.reveal()[i];
    SecretBuffer state{64};
    if (size == 48)
      IMB_SHA384_ONE_BLOCK(manager, block.reveal().data(), state.fill().data());
    else
      IMB_SHA256_ONE_BLOCK(manager, block.reveal().data(), state.fill().data());
    add("padded MAC key", block.reveal().first(size));
    add("HMAC state", state.reveal());
  }
  // Every 16 bytes that look random and are not there yet.
  void add(const char* what, Bytes bytes) {
    for (std::size_t at = 0; at + Needle::size <= bytes.size(); at += Needle::size) {
      const Bytes piece = bytes.subspan(at, Needle::size);
      if (std::set<std::byte>{piece.begin(), piece.end()}.size() < Needle::size / 2) continue;
      const auto is_same = [&](const Needle& known) { return known.is_at(piece.data()); };
      if (std::ranges::any_of(needles_, is_same)) continue;
      needles_.emplace_back(piece);
      names_.push_back(of_ + " " + what + ", byte " + std::to_string(at));
    }
  }

  std::string of_;
  std::vector<Needle> needles_;
  std::vector<std::string> names_;
  std::vector<bool> keys_;
};

}  // namespace penstock
