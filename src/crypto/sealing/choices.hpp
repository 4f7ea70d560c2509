// What EnginePlan::measure found: which manager does what.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hash_plan.hpp"
#include "ipsec_mb.hpp"
#include "penstock/crypto/engine_plan.hpp"

namespace penstock {

struct CtrHmacChoice {
  std::size_t cipher = 0;  // index of the manager
  HashPlan hash;
};

struct EnginePlan::Choices {
  bool is_slow = false;       // OpenSSL does everything; what stands below is empty
  bool is_for_pipes = false;  // of what stands below only aes256_ctr_sha256 was measured
  std::vector<ManagerKind> managers;
  CtrHmacChoice aes256_ctr_sha256;
  CtrHmacChoice aes128_ctr_sha256;
  CtrHmacChoice aes256_ctr_sha384;
  std::size_t gcm = 0;  // index of the manager
  std::size_t chacha20 = 0;

  std::string summary;
  std::array<std::string, protections.size()> texts;          // in the order of the table
  std::array<std::size_t, protections.size()> batch_sizes{};  // preferred
};

}  // namespace penstock
