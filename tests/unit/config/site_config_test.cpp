#include "penstock/config/site_config.hpp"

#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "site_file.hpp"

namespace penstock {
namespace {

using namespace std::chrono_literals;

using SiteConfigFile = SiteFile;

TEST_F(SiteConfigFile, the_shortest_has_the_documented_defaults) {
  const auto config = load(good);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->name, "alpha");
  EXPECT_EQ(config->run_dir, "/run/penstock/alpha");
  EXPECT_EQ(config->dataplane_socket(), "/run/penstock/alpha/dataplane.sock");
  EXPECT_EQ(config->admin_socket(), "/run/penstock/alpha/admin.sock");
  EXPECT_EQ(config->worker_count, 1u);
  EXPECT_TRUE(config->worker_cores.empty());
  EXPECT_EQ(config->idle, IdleMode::backoff);
  EXPECT_EQ(config->log_level, log::Level::info);
  EXPECT_FALSE(config->lab);
  EXPECT_FALSE(config->slow_crypto);
  EXPECT_EQ(config->plain.device, "eth1");
  EXPECT_EQ(config->wire.port.device, "eth0");
  EXPECT_EQ(to_string(config->wire.address), "192.0.2.1/24");
  EXPECT_FALSE(config->wire.gateway);
  EXPECT_EQ(config->wire.udp_port, 7670);
  ASSERT_EQ(config->links.size(), 1u);
  const LinkConfig& link = config->links[0];
  EXPECT_EQ(link.peer, "beta");
  EXPECT_EQ(to_string(link.endpoint), "192.0.2.2:7670");
  EXPECT_EQ(link.key_file, folder_ / "alpha-beta.key");
  ASSERT_EQ(link.suites.size(), 4u);
  EXPECT_EQ(to_string(link.suites[0]), "X25519-AES256_CTR-SHA256");
  EXPECT_EQ(to_string(link.suites[3]), "MODP2048-AES256_CTR-SHA256");
  EXPECT_FALSE(link.frame_size);
  EXPECT_EQ(link.tag, 16);
  EXPECT_EQ(link.min_tag, 16);
  EXPECT_EQ(link.hold, 0us);
  EXPECT_EQ(link.rekey_after, 120s);
  EXPECT_EQ(link.max_age, 1h);
}

TEST_F(SiteConfigFile, every_key_is_read) {
  const auto config = load(R"(
[site]
name = "alpha"
workers = [0]
idle = "spin"
run_dir = "/tmp/x"
log_level = "debug"
lab = true
slow_crypto = true
[ports.plain]
device = "ethdev:net_memif0,role=client,socket=/tmp/m.sock"
[ports.wire]
device = "ethdev:0000:03:00.0"
address = "2001:db8::1/64"
gateway = "2001:db8::fe"
udp_port = 1234
[[link]]
peer = "beta"
endpoint = "[2001:db8:1::1]:4321"
key_file = "/keys/k"
suites = ["MODP2048-AES256_CTR-SHA256"]
frame_size = 1400
tag = 32
min_tag = 12
hold = "20us"
rekey_after = "500ms"
max_age = "10min"
)");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->worker_cores, (std::vector<unsigned>{0}));
  EXPECT_EQ(config->worker_count, 1u);
  EXPECT_EQ(config->idle, IdleMode::spin);
  EXPECT_EQ(config->run_dir, "/tmp/x");
  EXPECT_EQ(config->log_level, log::Level::debug);
  EXPECT_TRUE(config->lab);
  EXPECT_TRUE(config->slow_crypto);
  EXPECT_EQ(config->plain.kind, PortConfig::Kind::ethdev);
  EXPECT_EQ(config->plain.device, "net_memif0,role=client,socket=/tmp/m.sock");
  EXPECT_EQ(config->wire.port.device, "0000:03:00.0");
  EXPECT_EQ(to_string(*config->wire.gateway), "2001:db8::fe");
  EXPECT_EQ(config->wire.udp_port, 1234);
  const LinkConfig& link = config->links.at(0);
  EXPECT_EQ(to_string(link.endpoint), "[2001:db8:1::1]:4321");
  EXPECT_EQ(link.key_file, "/keys/k");
  ASSERT_EQ(link.suites.size(), 1u);
  EXPECT_EQ(link.suites[0].key_exchange, KeyExchange::modp2048);
  EXPECT_EQ(link.frame_size, 1400);
  EXPECT_EQ(link.tag, 32);
  EXPECT_EQ(link.min_tag, 12);
  EXPECT_EQ(link.hold, 20us);
  EXPECT_EQ(link.rekey_after, 500ms);
  EXPECT_EQ(link.max_age, 10min);
}

TEST_F(SiteConfigFile, a_number_of_workers_floats) {
  const auto config = load_with("name = \"alpha\"", "name = \"alpha\"\nworkers = 64");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->worker_count, 64u);
  EXPECT_TRUE(config->worker_cores.empty());
}

TEST_F(SiteConfigFile, a_smaller_tag_lowers_the_default_of_min_tag) {
  const auto config = load_with("peer =", "tag = 12\npeer =");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->links[0].min_tag, 12);
}

TEST_F(SiteConfigFile, a_gateway_reaches_what_is_far) {
  std::string text{good};
  text.replace(text.find("192.0.2.2"), 9, "198.51.100.7");
  text.replace(text.find("[[link]]"), 0, "gateway = \"192.0.2.254\"\n");
  const auto config = load(text);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(to_string(config->links[0].endpoint), "198.51.100.7:7670");
}

TEST_F(SiteConfigFile, an_endpoint_may_be_a_name_or_nowhere) {
  const auto named = load_with("192.0.2.2", "far.example:99");
  ASSERT_TRUE(named) << named.error().message;
  EXPECT_EQ(named->links[0].endpoint_name, "far.example");
  EXPECT_EQ(named->links[0].endpoint.port, 99);
  const auto nowhere = load_with("endpoint = \"192.0.2.2\"", "roam = true");
  ASSERT_TRUE(nowhere) << nowhere.error().message;
  EXPECT_EQ(nowhere->links[0].endpoint.port, 0);
  EXPECT_TRUE(
      refusal_with("endpoint = \"192.0.2.2\"", "").starts_with("site.toml:8: link.endpoint"));
}

TEST_F(SiteConfigFile, every_worker_has_a_source_port) {
  const auto text = [](int port) {
    std::string whole{good};
    whole.replace(whole.find("[ports.plain]"), 0, "workers = 4\n");
    return whole.replace(whole.find("address ="), 0, fmt::format("udp_port = {}\n", port));
  };
  EXPECT_TRUE(load(text(65532)));
  const std::string said = refusal(load(text(65533)));
  EXPECT_TRUE(said.ends_with("ports.wire.udp_port: 4 workers send from as many ports, this one and "
                             "those above it; write 65532 or less"))
      << said;
}

constexpr std::string_view a_public_key = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

TEST_F(SiteConfigFile, an_identity_is_a_file_here_and_a_public_key_there) {
  std::string text{good};
  text.replace(text.find("key_file"), 0, fmt::format("peer_identity = \"{}\"\n", a_public_key));
  EXPECT_EQ(refusal(load(text)),
            "site.toml:11: link.peer_identity: the far site will want ours too; run penstock "
            "identity new and set identity_file in [site]");
  text.replace(text.find("[ports.plain]"), 0, "identity_file = \"alpha.identity\"\n");
  const auto config = load(text);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->identity_file, folder_ / "alpha.identity");
  EXPECT_EQ(to_text(config->links[0].peer_identity.value()), a_public_key);
}

TEST_F(SiteConfigFile, an_identity_that_no_link_asks_for_is_kept_to_itself) {
  const auto config = load_with("[ports.plain]", "identity_file = \"/i\"\n[ports.plain]");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->identity_file, "/i");
  EXPECT_FALSE(config->links[0].peer_identity);
}

TEST_F(SiteConfigFile, errors_name_file_line_key_and_what_to_do) {
  EXPECT_EQ(refusal_with("192.0.2.1/24", "192.0.2.1"),
            "site.toml:7: ports.wire.address: \"192.0.2.1\" is not an address with the length of "
            "its network, such as \"192.0.2.1/24\"");
  EXPECT_EQ(refusal_with("name = ", "nmae = "),
            "site.toml:2: site.nmae: this key is unknown; did you mean \"name\"?");
  EXPECT_EQ(refusal_with("peer = ", "colour = "),
            "site.toml:9: link.colour: this key is unknown; the keys here are peer, endpoint, "
            "key_file, old_key_file, suites, frame_size, tag, min_tag, hold, rekey_after, "
            "rekey_bytes, max_age, dead_after, roam, nat, vlan, peer_identity, shape, priority, "
            "dscp, ecn, mtu");
  EXPECT_EQ(refusal_with("name = \"alpha\"", ""), "site.toml:1: site.name: this key is missing");
  EXPECT_EQ(refusal_with("\"192.0.2.2\"", "\"198.51.100.7\""),
            "site.toml:10: link.endpoint: 198.51.100.7 is outside the wire's network 192.0.2.1/24; "
            "add ports.wire.gateway, the router to it");
}

TEST_F(SiteConfigFile, what_run_would_refuse_is_refused) {
  const long cores = ::sysconf(_SC_NPROCESSORS_CONF);
  EXPECT_EQ(refusal_with("\"alpha\"", fmt::format("\"alpha\"\nworkers = [{}]", cores)),
            fmt::format("site.toml:3: site.workers: there is no core {}; this machine has cores 0 "
                        "to {}",
                        cores, cores - 1));
}

TEST_F(SiteConfigFile, a_duration_out_of_range_is_told_the_range) {
  EXPECT_EQ(refusal_with("peer =", "hold = \"11ms\"\npeer ="),
            "site.toml:9: link.hold: this must be a duration from \"0us\" to \"10ms\"");
  EXPECT_EQ(refusal_with("peer =", "max_age = \"25h\"\npeer ="),
            "site.toml:9: link.max_age: this must be a duration from \"100ms\" to \"24h\"");
}

TEST_F(SiteConfigFile, several_links_have_peers_and_vlans_of_their_own) {
  const std::string second =
      "[[link]]\npeer = \"gamma\"\nendpoint = \"192.0.2.3\"\nkey_file = \"k\"\n";
  const auto both = load(std::string{good} + second + "vlan = 7\n");
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(both->links.at(0).vlan, 0);
  EXPECT_EQ(both->links.at(1).vlan, 7);
  EXPECT_EQ(
      refusal(load(std::string{good} + second)),
      "site.toml:13: link.peer: this link and the one to \"beta\" would take the same packets; "
      "give one of them a vlan");
  EXPECT_EQ(refusal(load(std::string{good} + second + "vlan = 7\n" + second + "vlan = 8\n")),
            "site.toml:18: link.peer: there is a link to \"gamma\" already");
  EXPECT_EQ(refusal_with("[[link]]", "[link]"),
            "site.toml:8: link: a site needs one [[link]], with double brackets");
  EXPECT_EQ(refusal(load(good.substr(0, good.find("[[link]]")))),
            "site.toml:1: link: this key is missing");
}

TEST_F(SiteConfigFile, what_is_no_toml_is_refused_with_its_line) {
  EXPECT_TRUE(refusal_with("name = \"alpha\"", "name = = 1").starts_with("site.toml:2: "));
  EXPECT_TRUE(refusal_with("\"alpha\"", "\"alpha").ends_with("; is a quote missing?"));
  EXPECT_EQ(refusal(load("")), "site.toml:1: site: this key is missing");
  EXPECT_TRUE(refusal(load(std::string_view{"\xff\xfe\0\x01", 4})).starts_with("site.toml:1: "));
}

TEST_F(SiteConfigFile, one_that_cannot_be_read_is_a_sentence) {
  const auto missing = load_site_config(folder_ / "nowhere.toml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::missing);
  EXPECT_EQ(missing.error().message, "cannot read the config file " +
                                         (folder_ / "nowhere.toml").string() +
                                         ": No such file or directory");
  EXPECT_FALSE(load_site_config(folder_));
}

struct BadValue {
  std::string_view piece;
  std::string_view by;
  std::string_view key;  // the refusal begins with it, behind file and line
};

class BadValues : public SiteConfigFile, public testing::WithParamInterface<BadValue> {};

TEST_P(BadValues, are_refused_at_their_key) {
  const std::string message = refusal_with(GetParam().piece, GetParam().by);
  const std::size_t behind_line = message.find(": ");
  ASSERT_NE(behind_line, message.npos) << message;
  EXPECT_TRUE(message.substr(behind_line + 2).starts_with(std::string{GetParam().key} + ": "))
      << message;
}

constexpr std::string_view name = "name = \"alpha\"";
constexpr std::string_view address = "\"192.0.2.1/24\"";
constexpr std::string_view endpoint = "\"192.0.2.2\"";
constexpr std::string_view key_file = "key_file = \"alpha-beta.key\"";

INSTANTIATE_TEST_SUITE_P(
    Site, BadValues,
    testing::Values(BadValue{name, "name = 1", "site.name"},
                    BadValue{name, "name = \"\"", "site.name"},
                    BadValue{name, "name = \"a/b\"", "site.name"},
                    BadValue{name, "name = \"..\"", "site.name"},
                    BadValue{name, "name = \"a b\"", "site.name"},
                    BadValue{name, "name = \"beta\"", "link.peer"},
                    BadValue{name, "name = \"alpha\"\nworkers = 0", "site.workers"},
                    BadValue{name, "name = \"alpha\"\nworkers = 65", "site.workers"},
                    BadValue{name, "name = \"alpha\"\nworkers = []", "site.workers"},
                    BadValue{name, "name = \"alpha\"\nworkers = [1, 1]", "site.workers"},
                    BadValue{name, "name = \"alpha\"\nworkers = [-1]", "site.workers"},
                    BadValue{name, "name = \"alpha\"\nworkers = \"2\"", "site.workers"},
                    BadValue{name, "name = \"alpha\"\nworkers = [1, \"2\"]", "site.workers"},
                    BadValue{name, "name = \"alpha\"\nidle = \"doze\"", "site.idle"},
                    BadValue{name, "name = \"alpha\"\nlog_level = \"all\"", "site.log_level"},
                    BadValue{name, "name = \"alpha\"\nlab = \"true\"", "site.lab"},
                    BadValue{name, "name = \"alpha\"\nslow_crypto = 1", "site.slow_crypto"},
                    BadValue{name, "name = \"alpha\"\nrun_dir = \"run\"", "site.run_dir"},
                    BadValue{name, "name = \"alpha\"\nrun_dir = \"/a\\nb\"", "site.run_dir"}));

INSTANTIATE_TEST_SUITE_P(
    Ports, BadValues,
    testing::Values(
        BadValue{"af_packet:eth1", "eth1", "ports.plain.device"},
        BadValue{"af_packet:eth1", "af_packet:", "ports.plain.device"},
        BadValue{"af_packet:eth1", "af_packet:a/b", "ports.plain.device"},
        BadValue{"af_packet:eth1", "af_packet:sixteen-letters-", "ports.plain.device"},
        BadValue{"af_packet:eth1", "ethdev:", "ports.plain.device"},
        BadValue{"af_packet:eth1", "af_packet:eth0", "ports.wire.device"},
        BadValue{address, "\"192.0.2.0/24\"", "ports.wire.address"},
        BadValue{address, "\"192.0.2.255/24\"", "ports.wire.address"},
        BadValue{address, "\"192.0.2.1/0\"", "ports.wire.address"},
        BadValue{address, "\"127.0.0.1/8\"", "ports.wire.address"},
        BadValue{address, "\"224.0.0.1/24\"", "ports.wire.address"},
        BadValue{address, "\"::/64\"", "ports.wire.address"},
        BadValue{address, "\"192.0.2.1/24\"\ngateway = \"198.51.100.1\"", "ports.wire.gateway"},
        BadValue{address, "\"192.0.2.1/24\"\ngateway = \"192.0.2.1\"", "ports.wire.gateway"},
        BadValue{address, "\"192.0.2.1/24\"\ngateway = \"2001:db8::1\"", "ports.wire.gateway"},
        BadValue{address, "\"192.0.2.1/24\"\nudp_port = 0", "ports.wire.udp_port"},
        BadValue{address, "\"192.0.2.1/24\"\nudp_port = 65536", "ports.wire.udp_port"}));

INSTANTIATE_TEST_SUITE_P(
    Link, BadValues,
    testing::Values(
        BadValue{endpoint, "\"192.0.2\"", "link.endpoint"},
        BadValue{endpoint, "\"far..example\"", "link.endpoint"},
        BadValue{endpoint, "\"far.example:0\"", "link.endpoint"},
        BadValue{endpoint, "\"far.example:76700\"", "link.endpoint"},
        BadValue{key_file, "key_file = \"k\"\nvlan = 4095", "link.vlan"},
        BadValue{key_file, "key_file = \"k\"\nrekey_bytes = \"1kB\"", "link.rekey_bytes"},
        BadValue{key_file, "key_file = \"k\"\nrekey_bytes = \"1Gb\"", "link.rekey_bytes"},
        BadValue{key_file, "key_file = \"k\"\ndead_after = \"4s\"", "link.dead_after"},
        BadValue{key_file, "key_file = \"k\"\nold_key_file = \"k\"", "link.old_key_file"},
        BadValue{key_file, "key_file = \"k\"\npeer_identity = \"ed25519:00\"",
                 "link.peer_identity"},
        BadValue{endpoint, "\"2001:db8::1\"", "link.endpoint"},
        BadValue{endpoint, "\"192.0.2.1\"", "link.endpoint"},
        BadValue{endpoint, "\"255.255.255.255\"", "link.endpoint"},
        BadValue{"\"beta\"", "\"be ta\"", "link.peer"},
        BadValue{key_file, "key_file = 7", "link.key_file"},
        BadValue{key_file, "key_file = \"k\"\nsuites = []", "link.suites"},
        BadValue{key_file, "key_file = \"k\"\nsuites = [\"ROT13\"]", "link.suites"},
        BadValue{key_file,
                 "key_file = \"k\"\nsuites = [\"X25519-AES256_CTR-SHA256\", "
                 "\"X25519-AES256_CTR-SHA256\"]",
                 "link.suites"},
        BadValue{key_file, "key_file = \"k\"\nframe_size = 255", "link.frame_size"},
        BadValue{key_file, "key_file = \"k\"\nframe_size = 9001", "link.frame_size"},
        BadValue{key_file, "key_file = \"k\"\ntag = 11", "link.tag"},
        BadValue{key_file, "key_file = \"k\"\ntag = 49", "link.tag"},
        BadValue{key_file, "key_file = \"k\"\nmin_tag = 17", "link.min_tag"},
        BadValue{key_file, "key_file = \"k\"\nhold = \"11ms\"", "link.hold"},
        BadValue{key_file, "key_file = \"k\"\nhold = 20", "link.hold"},
        BadValue{key_file, "key_file = \"k\"\nhold = \"20\"", "link.hold"},
        BadValue{key_file, "key_file = \"k\"\nhold = \"-1us\"", "link.hold"},
        BadValue{key_file, "key_file = \"k\"\nhold = \"us\"", "link.hold"},
        BadValue{key_file, "key_file = \"k\"\nhold = \"99999999999999999999us\"", "link.hold"},
        BadValue{key_file, "key_file = \"k\"\nmax_age = \"9000000000000h\"", "link.max_age"},
        BadValue{key_file, "key_file = \"k\"\nrekey_after = \"99ms\"", "link.rekey_after"},
        BadValue{key_file, "key_file = \"k\"\nrekey_after = \"1h\"", "link.max_age"}));

}  // namespace
}  // namespace penstock
