// Known answers, asked of the very code that was chosen, in every shape of batch that it cuts
// differently, before the first key: a wrong build of a library or a broken CPU must not seal.
#pragma once

#include <array>
#include <cstddef>

#include "penstock/base/error.hpp"
#include "protections.hpp"

namespace penstock {

// Sizes of batches between them cut in every way: all up to HashPlan::most_lanes, some beyond.
inline constexpr std::array<std::size_t, 22> telling_batches{
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 24, 31, 32, 33, 64};

[[nodiscard]] Result<void> self_test(Protections& code);

}  // namespace penstock
