#include "ipsec_mb.hpp"

#include "penstock/base/check.hpp"

namespace penstock {

IpsecMbManager::IpsecMbManager()
    : memory_(imb_get_mb_mgr_size()),
      manager_(imb_set_pointers_mb_mgr(memory_.fill().data(), 0, 1)) {
  check(manager_ != nullptr, "ipsec-mb took no memory for its manager");
}

Result<IpsecMbManager> IpsecMbManager::create(Arch arch) {
  if (!cpu_has(IMB_FEATURE_AESNI))
    return fail(ErrorKind::missing,
                "this CPU has no AES instructions: run on one that has AES-NI, or choose a VM "
                "type that shows it to the guest");
  IpsecMbManager made;
  if (arch == Arch::best)
    init_mb_mgr_auto(made.get(), nullptr);
  else
    init_mb_mgr_sse(made.get());
  if (const int error_number = imb_get_errno(made.get()); error_number != 0)
    return fail(ErrorKind::system, std::string{"ipsec-mb does not start on this CPU ("} +
                                       imb_get_strerror(error_number) +
                                       "): check that the installed libipsec-mb is intact");
  return made;
}

std::string_view IpsecMbManager::arch_name() const {
  switch (manager_->used_arch) {
    case IMB_ARCH_SSE:
      return "SSE";
    case IMB_ARCH_AVX2:
      return "AVX2";
    case IMB_ARCH_AVX512:
      return "AVX512";
    default:
      return "other code";
  }
}

}  // namespace penstock
