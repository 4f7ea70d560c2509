// Which suites and tags a link may have.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "site_file.hpp"

namespace penstock {
namespace {

class LinkSuites : public SiteFile {
 protected:
  // The good file with a list of suites and more keys in its link.
  Result<SiteConfig> load_link(std::string_view suites, std::string_view keys = "",
                               bool is_lab = false) {
    std::string text{good};
    if (is_lab) text.insert(text.find("[ports.plain]"), "lab = true\n");
    return load(text + fmt::format("suites = [{}]\n{}\n", suites, keys));
  }
  std::string refusal_of(std::string_view suites, std::string_view keys = "") {
    return refusal(load_link(suites, keys));
  }
};

TEST_F(LinkSuites, every_suite_is_taken) {
  for (const KeyExchangeTraits& exchange : key_exchanges) {
    for (const ProtectionTraits& row : protections) {
      const Suite suite{exchange.key_exchange, row.protection};
      const auto config = load_link(fmt::format("\"{}\"", to_string(suite)), "", true);
      ASSERT_TRUE(config) << config.error().message;
      EXPECT_EQ(config->links[0].suites, std::vector{suite});
    }
  }
}

TEST_F(LinkSuites, as_many_as_one_offer_has_and_no_more) {
  std::string list;
  std::size_t count = 0;
  for (const KeyExchangeTraits& exchange : key_exchanges) {
    for (const ProtectionTraits& row : protections) {
      list += fmt::format("\"{}\",", to_string(Suite{exchange.key_exchange, row.protection}));
      const auto config = load_link(list, "", true);
      EXPECT_EQ(config.has_value(), ++count <= 16) << count;
      if (count == 17) {
        EXPECT_EQ(refusal(config),
                  "site.toml:13: link.suites: these are 17 suites; a handshake offers at most 16, "
                  "so keep those that you like most");
      }
    }
  }
}

TEST_F(LinkSuites, left_out_every_key_exchange_is_taken_modp2048_last) {
  const auto config = load(std::string{good});
  ASSERT_TRUE(config) << config.error().message;
  std::vector<std::string> names;
  for (const Suite suite : config->links[0].suites) names.push_back(to_string(suite));
  EXPECT_EQ(names,
            (std::vector<std::string>{"X25519-AES256_CTR-SHA256", "P256-AES256_CTR-SHA256",
                                      "P384-AES256_CTR-SHA256", "MODP2048-AES256_CTR-SHA256"}));
}

TEST_F(LinkSuites, null_needs_a_lab) {
  EXPECT_EQ(refusal_of("\"X25519-AES256_GCM\", \"MODP2048-NULL\""),
            "site.toml:12: link.suites: \"MODP2048-NULL\" encrypts and authenticates nothing; take "
            "it out, or set lab = true in [site] where that is wanted");
  EXPECT_TRUE(load_link("\"X25519-AES256_GCM\", \"MODP2048-NULL\"", "", true));
}

TEST_F(LinkSuites, a_key_in_the_wrong_table_is_told_the_right_one) {
  EXPECT_EQ(refusal_of("\"X25519-NULL\"", "lab = true"),
            "site.toml:13: link.lab: this key is unknown; it belongs in [site]");
  EXPECT_EQ(refusal_with("[ports.plain]", "suites = []\n[ports.plain]"),
            "site.toml:3: site.suites: this key is unknown; it belongs in [[link]]");
}

TEST_F(LinkSuites, what_is_no_suite_is_told_what_is) {
  EXPECT_EQ(
      refusal_of("\"AES256_GCM\""),
      "site.toml:12: link.suites: \"AES256_GCM\" is not a suite; write a key exchange "
      "(X25519, P256, P384, MODP2048), \"-\" and one of AES256_CTR-SHA256, AES128_CTR-SHA256, "
      "AES256_CTR-SHA384, AES256_GCM, CHACHA20_POLY1305, NULL (lab only)");
}

TEST_F(LinkSuites, hmac_tags_go_up_to_the_whole_mac) {
  for (const auto& [suite, most] : {std::pair{"\"X25519-AES256_CTR-SHA256\"", 32},
                                    std::pair{"\"X25519-AES128_CTR-SHA256\"", 32},
                                    std::pair{"\"X25519-AES256_CTR-SHA384\"", 48}}) {
    for (int tag = 12; tag <= most; ++tag) {
      const auto config = load_link(suite, fmt::format("tag = {}\nmin_tag = {}", tag, tag));
      ASSERT_TRUE(config) << config.error().message;
      EXPECT_EQ(config->links[0].tag, tag);
      EXPECT_EQ(config->links[0].min_tag, tag);
    }
  }
}

TEST_F(LinkSuites, tag_goes_from_12_to_48_whatever_the_suites) {
  for (const char* suite :
       {"\"X25519-AES256_CTR-SHA256\"", "\"X25519-AES256_CTR-SHA384\"", "\"X25519-AES256_GCM\""}) {
    EXPECT_TRUE(load_link(suite, "tag = 48"));
    for (const char* tag : {"tag = 11", "tag = 49"}) {
      EXPECT_EQ(refusal_of(suite, tag),
                "site.toml:13: link.tag: this must be a whole number from 12 to 48");
    }
  }
}

TEST_F(LinkSuites, a_tag_may_be_longer_than_some_suites_have) {
  const auto config =
      load_link("\"X25519-AES256_CTR-SHA384\", \"X25519-AES256_GCM\", \"X25519-AES256_CTR-SHA256\"",
                "tag = 48\nmin_tag = 16");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->links[0].tag, 48);
  EXPECT_EQ(config->links[0].min_tag, 16);
}

TEST_F(LinkSuites, a_min_tag_no_suite_in_the_list_may_lack) {
  EXPECT_EQ(
      refusal_of("\"X25519-AES256_CTR-SHA384\", \"X25519-AES256_GCM\"", "tag = 32\nmin_tag = 17"),
      "site.toml:14: link.min_tag: X25519-AES256_GCM has no tag longer than 16 bytes; lower "
      "min_tag to 16 or take that suite out");
  EXPECT_EQ(refusal_of("\"X25519-AES256_CTR-SHA384\", \"MODP2048-AES256_CTR-SHA256\"",
                       "tag = 48\nmin_tag = 33"),
            "site.toml:14: link.min_tag: MODP2048-AES256_CTR-SHA256 has no tag longer than 32 "
            "bytes; lower min_tag to 32 or take that suite out");
}

TEST_F(LinkSuites, a_min_tag_above_tag_or_above_every_mac_is_refused) {
  EXPECT_EQ(refusal_of("\"X25519-AES256_CTR-SHA384\"", "tag = 48\nmin_tag = 49"),
            "site.toml:14: link.min_tag: this must be a whole number from 12 to 48");
  EXPECT_EQ(refusal_of("\"X25519-AES256_CTR-SHA256\"", "tag = 20\nmin_tag = 21"),
            "site.toml:14: link.min_tag: X25519-AES256_CTR-SHA256 would get a tag of 20 bytes; "
            "raise tag to 21 or lower min_tag to 20");
  EXPECT_EQ(refusal_of("\"X25519-AES256_CTR-SHA256\"", "min_tag = 32"),
            "site.toml:13: link.min_tag: X25519-AES256_CTR-SHA256 would get a tag of 16 bytes; "
            "raise tag to 32 or lower min_tag to 16");
  EXPECT_EQ(
      refusal_of("\"X25519-AES256_GCM\", \"X25519-AES256_CTR-SHA256\"", "tag = 14\nmin_tag = 16"),
      "site.toml:14: link.min_tag: X25519-AES256_CTR-SHA256 would get a tag of 14 bytes; "
      "raise tag to 16 or lower min_tag to 14");
}

TEST_F(LinkSuites, aead_tags_are_16_whatever_is_asked) {
  for (const char* suite : {"\"X25519-AES256_GCM\"", "\"X25519-CHACHA20_POLY1305\""}) {
    EXPECT_TRUE(load_link(suite, "tag = 12"));
    EXPECT_TRUE(load_link(suite, "tag = 12\nmin_tag = 16"));
    EXPECT_TRUE(load_link(suite, "tag = 48"));
  }
}

TEST_F(LinkSuites, null_has_no_tag_for_min_tag_to_bind) {
  EXPECT_TRUE(load_link("\"X25519-NULL\"", "tag = 48\nmin_tag = 48", true));
  EXPECT_TRUE(load_link("\"X25519-NULL\"", "tag = 12\nmin_tag = 48", true));
  EXPECT_TRUE(
      load_link("\"X25519-NULL\", \"X25519-AES256_CTR-SHA256\"", "tag = 32\nmin_tag = 32", true));
}

}  // namespace
}  // namespace penstock
