#include "ipsec_mb.hpp"

#include <utility>

#include <fmt/format.h>

#include "penstock/base/check.hpp"

namespace penstock {

using Vectors = EngineOptions::Vectors;

IpsecMbManager::IpsecMbManager(ManagerKind kind)
    : memory_(imb_get_mb_mgr_size()),
      manager_(imb_set_pointers_mb_mgr(memory_.fill().data(),
                                       kind.sha_instructions ? 0 : IMB_FLAG_SHANI_OFF, 1)),
      kind_(kind) {
  check(manager_ != nullptr, "ipsec-mb took no memory for its manager");
}

Result<IpsecMbManager> IpsecMbManager::create(ManagerKind kind) {
  check(cpu_runs(kind.vectors), "a manager of a kind that this CPU runs");
  IpsecMbManager made{kind};
  switch (kind.vectors) {
    case Vectors::sse:
      init_mb_mgr_sse(made.get());
      break;
    case Vectors::avx2:
      init_mb_mgr_avx2(made.get());
      break;
    case Vectors::avx512:
      init_mb_mgr_avx512(made.get());
      break;
  }
  if (const int error_number = imb_get_errno(made.get()); error_number != 0)
    return fail(ErrorKind::system,
                fmt::format("ipsec-mb's {} code does not start on this CPU ({}): check that the "
                            "installed libipsec-mb is intact",
                            name(kind.vectors), imb_get_strerror(error_number)));
  return made;
}

bool IpsecMbManager::cpu_runs(Vectors vectors) {
  switch (vectors) {
    case Vectors::sse:
      return cpu_has(IMB_CPUFLAGS_SSE);
    case Vectors::avx2:
      return cpu_has(IMB_CPUFLAGS_AVX2);
    case Vectors::avx512:
      return cpu_has(IMB_CPUFLAGS_AVX512);
  }
  return false;
}

Result<std::vector<IpsecMbManager>> create_managers(std::span<const ManagerKind> kinds) {
  std::vector<IpsecMbManager> managers;
  for (const ManagerKind kind : kinds) {
    auto manager = IpsecMbManager::create(kind);
    if (!manager) return std::unexpected{manager.error()};
    managers.push_back(std::move(*manager));
  }
  return managers;
}

std::vector<IMB_MGR*> handles(std::span<const IpsecMbManager> managers) {
  std::vector<IMB_MGR*> raw;
  for (const IpsecMbManager& manager : managers) raw.push_back(manager.get());
  return raw;
}

std::string_view name(Vectors vectors) {
  switch (vectors) {
    case Vectors::sse:
      return "SSE";
    case Vectors::avx2:
      return "AVX2";
    case Vectors::avx512:
      return "AVX512";
  }
  return "?";
}

}  // namespace penstock
