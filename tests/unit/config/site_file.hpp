// A config file on the disk, to load and to spoil.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "penstock/config/site_config.hpp"

namespace penstock {

inline constexpr std::string_view good = R"([site]
name = "alpha"
[ports.plain]
device = "af_packet:eth1"
[ports.wire]
device = "af_packet:eth0"
address = "192.0.2.1/24"
[[link]]
peer = "beta"
endpoint = "192.0.2.2"
key_file = "alpha-beta.key"
)";

class SiteFile : public testing::Test {
 protected:
  SiteFile() {
    std::string pattern = testing::TempDir() + "penstock-config-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    file_ = folder_ / "site.toml";
  }
  ~SiteFile() override { std::filesystem::remove_all(folder_); }

  Result<SiteConfig> load(std::string_view text) {
    std::ofstream{file_} << text;
    return load_site_config(file_);
  }
  // The good file with one piece of text replaced.
  Result<SiteConfig> load_with(std::string_view piece, std::string_view by) {
    std::string text{good};
    const std::size_t at = text.find(piece);
    EXPECT_NE(at, text.npos) << piece;
    return load(text.replace(at, piece.size(), by));
  }
  // What is refused of `text`, without the folder's name.
  std::string refusal(const Result<SiteConfig>& result) {
    if (result) return "accepted";
    EXPECT_EQ(result.error().kind, ErrorKind::config);
    const std::string& message = result.error().message;
    EXPECT_TRUE(message.starts_with(file_.string())) << message;
    return message.substr(std::min(message.size(), folder_.string().size() + 1));
  }
  std::string refusal_with(std::string_view piece, std::string_view by) {
    return refusal(load_with(piece, by));
  }

  std::filesystem::path folder_;
  std::filesystem::path file_;
};

}  // namespace penstock
