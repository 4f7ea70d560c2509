#include "links.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "shape.hpp"
#include "values.hpp"

namespace penstock::config {
namespace {

using namespace std::chrono_literals;

constexpr std::array link_keys{Key{"peer", true},   Key{"endpoint"},      Key{"key_file", true},
                               Key{"old_key_file"}, Key{"suites"},        Key{"frame_size"},
                               Key{"tag"},          Key{"min_tag"},       Key{"hold"},
                               Key{"rekey_after"},  Key{"rekey_bytes"},   Key{"max_age"},
                               Key{"dead_after"},   Key{"roam"},          Key{"nat"},
                               Key{"vlan"},         Key{"peer_identity"}, Key{"shape"},
                               Key{"priority"},     Key{"dscp"},          Key{"ecn"},
                               Key{"mtu"}};

constexpr std::string_view a_duration =
    "a duration such as \"20us\", \"500ms\", \"120s\" or \"1h\"";

constexpr Time max_hold = 10ms;
constexpr std::uint64_t min_rekey_bytes = 1'000'000;
constexpr Time min_rekey_after = 100ms;
constexpr Time longest_max_age = 24h;

// "host.example" or "host.example:7670".
bool read_endpoint_name(std::string_view text, LinkConfig& config) {
  const std::size_t colon = text.find(':');
  if (!is_host_name(text.substr(0, colon))) return false;
  std::uint16_t port = limits::default_port;
  if (colon != text.npos) {
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), port);
    if (error != std::errc{} || end != digits.end() || port == 0) return false;
  }
  config.endpoint_name = text.substr(0, colon);
  config.endpoint.port = port;
  return true;
}

void read_endpoint(const Section& link, const WireConfig& wire, LinkConfig& config) {
  config.endpoint.address.version = wire.address.address.version;
  const auto text = link.text("endpoint");
  if (!text) {
    if (!config.roam)
      link.refuse("endpoint", "say where the far side receives, such as \"198.51.100.7:7670\"; it "
                              "may be left out only with roam = true");
    return;
  }
  const auto endpoint = parse_endpoint(*text, limits::default_port);
  if (!endpoint) {
    if (!read_endpoint_name(*text, config))
      link.refuse("endpoint", fmt::format("\"{}\" is not the address or name of the peer's wire "
                                          "port, such as \"198.51.100.7:7670\"",
                                          *text));
    return;
  }
  config.endpoint = *endpoint;
  const IpAddress& address = endpoint->address;
  const std::string shown = to_string(address);
  if (!is_host_address(address)) {
    link.refuse("endpoint", fmt::format("{} is not the address of a host", shown));
  }
  if (address.version != wire.address.address.version) {
    link.refuse("endpoint", fmt::format("{} and the wire address {} must be of one IP version",
                                        shown, to_string(wire.address)));
  }
  if (address == wire.address.address) {
    link.refuse("endpoint", "this is our own wire address; give the peer's");
  }
  if (!wire.address.contains(address) && !wire.gateway) {
    link.refuse("endpoint", fmt::format("{} is outside the wire's network {}; "
                                        "add ports.wire.gateway, the router to it",
                                        shown, to_string(wire.address)));
  }
}

// The names of a table's rows, as a list.
template <class Rows>
std::string names_of(const Rows& rows) {
  std::string names;
  for (const auto& row : rows) names += (names.empty() ? "" : ", ") + std::string{row.name};
  return names;
}

std::string not_a_suite(std::string_view name) {
  static_assert(protections.back().protection == Protection::none, "the mark follows its name");
  return fmt::format(
      "\"{}\" is not a suite; write a key exchange ({}), \"-\" and one of {} (lab only)", name,
      names_of(key_exchanges), names_of(protections));
}

void read_suites(const Section& link, bool is_lab, LinkConfig& config) {
  for (const std::string& name : link.texts("suites")) {
    const auto suite = parse_suite(name);
    if (!suite) return link.refuse("suites", not_a_suite(name));
    if (suite->protection == Protection::none && !is_lab) {
      link.refuse("suites",
                  fmt::format("\"{}\" encrypts and authenticates nothing; take it out, or "
                              "set lab = true in [site] where that is wanted",
                              name));
    }
    if (std::ranges::find(config.suites, *suite) != config.suites.end()) {
      link.refuse("suites", fmt::format("\"{}\" stands here twice", name));
    }
    config.suites.push_back(*suite);
  }
  if (config.suites.size() > max_suites_offered) {
    link.refuse("suites", fmt::format("these are {} suites; a handshake offers at most {}, so keep "
                                      "those that you like most",
                                      config.suites.size(), max_suites_offered));
  }
  if (config.suites.empty()) {
    for (const KeyExchangeTraits& row : key_exchanges) {
      config.suites.push_back({row.key_exchange, Protection::aes256_ctr_sha256});
    }
  }
}

// Each suite gets the tag nearest to `tag` that it can have, and none a tag below `min_tag`.
void read_tags(const Section& link, LinkConfig& config) {
  const auto read = [&](std::string_view key, std::uint8_t fallback) {
    return static_cast<std::uint8_t>(
        link.number(key, limits::min_tag, limits::max_tag).value_or(fallback));
  };
  config.tag = read("tag", limits::default_tag);
  config.min_tag = read("min_tag", std::min<std::uint8_t>(limits::default_tag, config.tag));

  for (const Suite suite : config.suites) {
    if (suite.protection == Protection::none) continue;
    const std::uint8_t most = traits(suite.protection).max_tag;
    const std::uint8_t tag = fit_tag(suite.protection, config.tag);
    if (config.min_tag > most) {
      link.refuse("min_tag", fmt::format("{} has no tag longer than {} bytes; lower min_tag to {} "
                                         "or take that suite out",
                                         to_string(suite), most, most));
    } else if (config.min_tag > tag) {
      link.refuse("min_tag", fmt::format("{} would get a tag of {} bytes; raise tag to {} or lower "
                                         "min_tag to {}",
                                         to_string(suite), tag, config.min_tag, tag));
    }
  }
}

void read_frames(const Section& link, LinkConfig& config) {
  if (const auto size = link.number("frame_size", limits::min_frame_size, limits::max_frame_size)) {
    config.frame_size = static_cast<std::uint16_t>(*size);
  }
  read_tags(link, config);
}

void read_times(const Section& link, LinkConfig& config) {
  const auto read = [&](std::string_view key, Time low, Time high, Time fallback) {
    const auto value = link.parsed(key, parse_duration, a_duration);
    if (!value) return fallback;
    if (*value < low || *value > high) {
      link.refuse(key, fmt::format("this must be a duration from \"{}\" to \"{}\"",
                                   duration_text(low), duration_text(high)));
    }
    return *value;
  };
  config.hold =
      std::chrono::duration_cast<std::chrono::microseconds>(read("hold", 0ns, max_hold, 0ns));
  config.rekey_after = read("rekey_after", min_rekey_after, longest_max_age, limits::rekey_after);
  config.max_age = read("max_age", min_rekey_after, longest_max_age, limits::session_max_age);
  config.dead_after = read("dead_after", limits::min_dead_after, 1h, limits::dead_after);
  if (config.rekey_after >= config.max_age) {
    link.refuse("max_age", "this must be longer than rekey_after, or traffic would stop");
  }
}

void read_keys(const Section& link, const SiteConfig& site, LinkConfig& config) {
  const std::filesystem::path folder = site.file.parent_path();
  config.key_file = folder / link.text("key_file").value_or("");
  if (const auto old = link.text("old_key_file")) config.old_key_file = folder / *old;
  if (config.old_key_file == config.key_file)
    link.refuse("old_key_file", "this is key_file itself; name the file that it replaces");
  config.peer_identity = link.parsed(
      "peer_identity", parse_identity_public,
      "a public key as `penstock identity show` prints it: \"ed25519:\" and its base64");
  if (config.peer_identity && !site.identity_file)
    link.refuse("peer_identity", "the far site will want ours too; run penstock identity new and "
                                 "set identity_file in [site]");
}

LinkConfig read_link(const Section& link, const SiteConfig& site) {
  LinkConfig config;
  config.peer = link.parsed("peer", parse_site_name, a_name).value_or("");
  if (config.peer == site.name) {
    link.refuse("peer", "this is our own name; the two sites of a link need different names");
  }
  config.roam = link.truth("roam").value_or(false);
  config.nat = link.truth("nat").value_or(false);
  read_endpoint(link, site.wire, config);
  read_keys(link, site, config);
  read_suites(link, site.lab, config);
  read_frames(link, config);
  read_times(link, config);
  config.rekey_bytes = link.parsed("rekey_bytes", parse_bytes, "a size such as \"100GB\"");
  if (config.rekey_bytes && *config.rekey_bytes < min_rekey_bytes)
    link.refuse("rekey_bytes", "this must be at least \"1MB\", or rekeys would be all there is");
  config.vlan = static_cast<std::uint16_t>(link.number("vlan", 1, 4094).value_or(0));
  read_shaping(link, config);
  return config;
}

// Links are told apart by their peers; packets, by their VLANs.
void refuse_twins(const Section& link, const LinkConfig& next,
                  const std::vector<LinkConfig>& before) {
  if (std::ranges::find(before, next.peer, &LinkConfig::peer) != before.end())
    link.refuse("peer", fmt::format("there is a link to \"{}\" already", next.peer));
  const auto twin = std::ranges::find(before, next.vlan, &LinkConfig::vlan);
  if (twin == before.end()) return;
  if (next.vlan == 0)
    link.refuse("peer", fmt::format("this link and the one to \"{}\" would take the same packets; "
                                    "give one of them a vlan",
                                    twin->peer));
  else
    link.refuse("vlan", fmt::format("the link to \"{}\" has this VLAN already", twin->peer));
}

}  // namespace

void read_links(Refusals& refusals, const Section& root, SiteConfig& config) {
  const toml::node* const node = root.find("link");
  const toml::array* const links = node != nullptr ? node->as_array() : nullptr;
  if (links == nullptr || links->empty() || !links->is_homogeneous(toml::node_type::table)) {
    root.refuse("link", "a site needs one [[link]], with double brackets");
    return;
  }
  if (links->size() > limits::max_links) {
    root.refuse("link", fmt::format("a site has at most {} links", limits::max_links));
    return;
  }
  for (const toml::node& table : *links) {
    const Section link{refusals, *table.as_table(), "link", link_keys};
    LinkConfig next = read_link(link, config);
    refuse_twins(link, next, config.links);
    config.links.push_back(std::move(next));
  }
}

}  // namespace penstock::config
