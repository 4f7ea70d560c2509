// The result of `status` for people: what is up, what flows, what was dropped and why.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace penstock::cli {

// `before` is an earlier result of the same site, for rates; null when there is none.
[[nodiscard]] std::string status_text(const nlohmann::json& before, const nlohmann::json& now,
                                      bool with_colour);

}  // namespace penstock::cli
