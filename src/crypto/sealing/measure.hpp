// How long the library's managers take on this CPU, in nanoseconds: the least of several rounds,
// since whatever else a machine does only ever adds. (What it cannot see is a clock that slows
// down under lasting vector load, as early AVX-512 CPUs' did.)
#pragma once

#include <array>
#include <span>
#include <vector>

#include "hash_plan.hpp"
#include "ipsec_mb.hpp"
#include "penstock/base/suite.hpp"

namespace penstock {

struct CtrHmacCosts {
  std::vector<double> cipher;         // a frame, by manager
  std::vector<HashPlan::Costs> hash;  // a call of so many frames, by manager
};

[[nodiscard]] CtrHmacCosts measure_ctr_hmac(Protection protection,
                                            std::span<IMB_MGR* const> managers);
// A frame, by manager.
[[nodiscard]] std::vector<double> measure_gcm(std::span<IMB_MGR* const> managers);
[[nodiscard]] std::vector<double> measure_chacha20(std::span<IMB_MGR* const> managers);

}  // namespace penstock
