#include "manager.hpp"

#include <algorithm>

#include "penstock/base/check.hpp"

namespace penstock::bench {
namespace {

using Vectors = EngineOptions::Vectors;

std::shared_ptr<IMB_MGR> allocate(std::uint64_t flags) {
  std::shared_ptr<IMB_MGR> manager{alloc_mb_mgr(flags), free_mb_mgr};
  check(manager != nullptr, "memory for an ipsec-mb manager");
  return manager;
}

Manager make(Vectors vectors, bool sha) {
  Manager made{.name = {}, .library = allocate(sha ? 0 : IMB_FLAG_SHANI_OFF)};
  switch (vectors) {
    case Vectors::sse:
      made.name = "sse";
      init_mb_mgr_sse(made.library.get());
      break;
    case Vectors::avx2:
      made.name = "avx2";
      init_mb_mgr_avx2(made.library.get());
      break;
    case Vectors::avx512:
      made.name = "avx512";
      init_mb_mgr_avx512(made.library.get());
      break;
  }
  if (!sha) made.name += "-nosha";
  return made;
}

}  // namespace

Capabilities capabilities() {
  const auto manager = allocate(0);
  IMB_ARCH found{};
  init_mb_mgr_auto(manager.get(), &found);
  const auto vectors = found >= IMB_ARCH_AVX512 ? Vectors::avx512
                       : found == IMB_ARCH_AVX2 ? Vectors::avx2
                                                : Vectors::sse;
  return {.vectors = vectors, .has_sha = (manager->features & IMB_FEATURE_SHANI) != 0};
}

std::vector<Manager> managers(const EngineOptions& options) {
  const Capabilities most = capabilities();
  const bool sha = most.has_sha && options.sha_instructions;
  const Vectors best = std::min(most.vectors, options.vectors);
  std::vector<Manager> all;
  for (const Vectors vectors : {Vectors::avx512, Vectors::avx2, Vectors::sse})
    if (vectors <= best) all.push_back(make(vectors, sha || !most.has_sha));
  return all;
}

}  // namespace penstock::bench
