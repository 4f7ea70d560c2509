// Known answers, asked of the very code that was chosen, in every shape of batch that it cuts
// differently, before the first key: a wrong build of a library or a broken CPU must not seal.
#pragma once

#include "penstock/base/error.hpp"
#include "protections.hpp"

namespace penstock {

[[nodiscard]] Result<void> self_test(Protections& code);

}  // namespace penstock
