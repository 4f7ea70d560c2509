#include "controlplane/cli/rotation_text.hpp"

#include <gtest/gtest.h>

namespace penstock::cli {
namespace {

using nlohmann::json;

std::string text_in_state(const char* state, const json& old = nullptr) {
  const json link{
      {"peer", "beta"},
      {"key", {{"state", state}, {"fingerprint", "0123"}, {"old_fingerprint", old}}},
  };
  return rotation_text(link, {.config = "site.toml",
                              .key_file = "/etc/penstock/a.key",
                              .new_key_file = "/etc/penstock/b.key"});
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

TEST(KeyRotation, BeginsWithTheCommandsAndTheTwoLines) {
  const std::string text = text_in_state("only");
  EXPECT_TRUE(has(text, "has one key, 0123;")) << text;
  EXPECT_TRUE(has(text, "\n     penstock genkey /etc/penstock/b.key\n")) << text;
  EXPECT_TRUE(has(text, "\n     key_file = \"/etc/penstock/b.key\"\n")) << text;
  EXPECT_TRUE(has(text, "\n     old_key_file = \"/etc/penstock/a.key\"\n")) << text;
  EXPECT_TRUE(has(text, "\n     penstock reload site.toml\n")) << text;
}

TEST(KeyRotation, WaitsForTheFarSide) {
  const std::string text =
      text_in_state("old (the far side has not answered to the new one yet)", "4567");
  EXPECT_TRUE(has(text, "the new key 0123 and the old one 4567 are both accepted")) << text;
  EXPECT_TRUE(has(text, "next, at beta: ")) << text;
}

TEST(KeyRotation, EndsWithTheOldFileOutOfTheConfig) {
  const std::string text = text_in_state("new proved, old retired", "4567");
  EXPECT_TRUE(has(text, "take old_key_file out of the config")) << text;
  EXPECT_TRUE(has(text, "keep the old file")) << text;
  EXPECT_TRUE(has(text, "penstock key restore beta")) << text;
}

TEST(KeyRotation, SaysWhenTheKeysWereWiped) {
  EXPECT_TRUE(has(text_in_state("none"), "penstock reload site.toml"));
}

TEST(KeyRotation, AnAnswerOfAnotherVersionThrows) {
  EXPECT_THROW(static_cast<void>(rotation_text({{"peer", "beta"}}, {})), json::exception);
}

}  // namespace
}  // namespace penstock::cli
