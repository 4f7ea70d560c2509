// What `penstock key rotate` says: where the change of a link's key stands, and the next step.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace penstock::cli {

// The files that the commands name, where the config is known.
struct RotationFiles {
  std::filesystem::path config = "FILE";
  std::filesystem::path key_file = "OLD.key";
  std::filesystem::path new_key_file = "NEW.key";
};

// `link` as the status has it. Throws json::exception when it comes from another version.
[[nodiscard]] std::string rotation_text(const nlohmann::json& link, const RotationFiles& files);

}  // namespace penstock::cli
