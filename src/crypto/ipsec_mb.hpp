// One manager of ipsec-mb: a table of functions for one instruction set, and the state of
// the frames that are being hashed, which holds keys; it lives in secret memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <intel-ipsec-mb.h>

#include "penstock/base/error.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock {

class IpsecMbManager {
 public:
  enum class Arch : std::uint8_t { best, sse };
  [[nodiscard]] static Result<IpsecMbManager> create(Arch arch);

  [[nodiscard]] IMB_MGR* get() const { return manager_; }
  // What this CPU has, one of IMB_FEATURE_*.
  [[nodiscard]] static bool cpu_has(std::uint64_t feature) {
    return (imb_get_feature_flags() & feature) == feature;
  }
  // 16 lanes of SHA-256, against 8, 4 or 2.
  [[nodiscard]] bool is_avx512() const { return manager_->used_arch == IMB_ARCH_AVX512; }
  [[nodiscard]] std::string_view arch_name() const;

 private:
  IpsecMbManager();
  SecretBuffer memory_;
  IMB_MGR* manager_;
};

}  // namespace penstock
