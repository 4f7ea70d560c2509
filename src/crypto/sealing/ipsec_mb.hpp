// One manager of ipsec-mb: a table of functions for one instruction set, and the state of
// the frames that are being hashed, which holds keys; it lives in secret memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <intel-ipsec-mb.h>

#include "penstock/base/error.hpp"
#include "penstock/crypto/engine_plan.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock {

struct ManagerKind {
  EngineOptions::Vectors vectors = EngineOptions::Vectors::sse;
  bool sha_instructions = true;  // where the CPU has them and the manager knows them

  bool operator==(const ManagerKind&) const = default;
};

class IpsecMbManager {
 public:
  [[nodiscard]] static Result<IpsecMbManager> create(ManagerKind kind);

  [[nodiscard]] IMB_MGR* get() const { return manager_; }
  [[nodiscard]] ManagerKind kind() const { return kind_; }
  // What this manager may use, IMB_FEATURE_* or a set of them.
  [[nodiscard]] bool has(std::uint64_t features) const {
    return (manager_->features & features) == features;
  }

  // What this CPU has, one of IMB_FEATURE_*.
  [[nodiscard]] static bool cpu_has(std::uint64_t feature) {
    return (imb_get_feature_flags() & feature) == feature;
  }
  [[nodiscard]] static bool cpu_runs(EngineOptions::Vectors vectors);

 private:
  explicit IpsecMbManager(ManagerKind kind);
  SecretBuffer memory_;
  IMB_MGR* manager_;
  ManagerKind kind_;
};

// One of each kind, in this order.
[[nodiscard]] Result<std::vector<IpsecMbManager>> create_managers(
    std::span<const ManagerKind> kinds);
// As the library takes them.
[[nodiscard]] std::vector<IMB_MGR*> handles(std::span<const IpsecMbManager> managers);

// "AVX512", "AVX2" or "SSE".
[[nodiscard]] std::string_view name(EngineOptions::Vectors vectors);

}  // namespace penstock
