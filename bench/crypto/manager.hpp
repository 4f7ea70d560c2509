// ipsec-mb's managers, each with the code of one generation of CPUs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <intel-ipsec-mb.h>

#include "penstock/crypto/engine_plan.hpp"

namespace penstock::bench {

struct Manager {
  std::string name;  // "avx512"; "sse-nosha" without SHA instructions
  std::shared_ptr<IMB_MGR> library;
};

// What this CPU has at most.
struct Capabilities {
  EngineOptions::Vectors vectors{};
  bool has_sha = false;
};
[[nodiscard]] Capabilities capabilities();

// All that this CPU and the options allow; first what the library would choose itself.
[[nodiscard]] std::vector<Manager> managers(const EngineOptions& options);

}  // namespace penstock::bench
