// Known answers, asked of a pipe's engine in every shape of batch that it cuts differently, before
// its first key.
#pragma once

#include "penstock/base/error.hpp"
#include "penstock/crypto/pipe_packets.hpp"

namespace penstock {

[[nodiscard]] Result<void> self_test(PipeEngine& engine);

}  // namespace penstock
