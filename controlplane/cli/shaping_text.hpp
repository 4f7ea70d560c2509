// What `status` writes of a link whose frames are timed, or whose path is probed.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace penstock::cli {

// Whole lines, each behind two spaces; empty for a link that sends when it has something to say.
// `before` is the same link of an earlier status, or null.
[[nodiscard]] std::string shaping_text(const nlohmann::json& link, const nlohmann::json& before);

}  // namespace penstock::cli
