// What each layer of sealing and opening costs, in one contest, so that a layer is a
// subtraction: cipher alone, hash alone, both, the engine, the engine with many SAs. OpenSSL's
// EVP beside them.
#pragma once

#include "row.hpp"
#include "trial.hpp"

namespace penstock::bench {

// Rows named `trial.name`/layer.
[[nodiscard]] Rows run_layers(const Trial& trial, Rig& rig);

}  // namespace penstock::bench
