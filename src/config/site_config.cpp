#include "penstock/config/site_config.hpp"

#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/unique_fd.hpp"
#include "reader.hpp"
#include "values.hpp"

namespace penstock {
namespace {

using namespace std::chrono_literals;
using config::Key;
using config::Section;

constexpr std::array root_keys{Key{"site", true}, Key{"ports", true}, Key{"link", true}};
constexpr std::array site_keys{Key{"name", true},  Key{"workers"},      Key{"idle"},
                               Key{"run_dir"},     Key{"state_dir"},    Key{"log_level"},
                               Key{"lab"},         Key{"slow_crypto"},  Key{"audit_log"},
                               Key{"admin_group"}, Key{"identity_file"}};
constexpr std::array ports_keys{Key{"plain", true}, Key{"wire", true}};
constexpr std::array plain_keys{Key{"device", true}};
constexpr std::array wire_keys{Key{"device", true}, Key{"address", true}, Key{"gateway"},
                               Key{"udp_port"}};
constexpr std::array link_keys{Key{"peer", true},   Key{"endpoint"},     Key{"key_file", true},
                               Key{"old_key_file"}, Key{"suites"},       Key{"frame_size"},
                               Key{"tag"},          Key{"min_tag"},      Key{"hold"},
                               Key{"rekey_after"},  Key{"rekey_bytes"},  Key{"max_age"},
                               Key{"dead_after"},   Key{"roam"},         Key{"nat"},
                               Key{"vlan"},         Key{"peer_identity"}};

constexpr std::string_view a_name =
    "a site's name: at most 63 letters, digits, '-', '_' and '.', beginning with a letter or digit";
constexpr std::string_view a_device =
    "a device: write \"af_packet:eth0\" for a kernel interface or \"ethdev:DEVARGS\" for DPDK";
constexpr std::string_view a_duration =
    "a duration such as \"20us\", \"500ms\", \"120s\" or \"1h\"";

constexpr std::string_view one_worker = "this version runs one worker; name one core, or say 1";
constexpr std::int64_t max_core = 1023;  // what a cpu_set_t holds
constexpr Time max_hold = 10ms;
constexpr std::uint64_t min_rekey_bytes = 1'000'000;
constexpr Time min_rekey_after = 100ms;
constexpr Time longest_max_age = 24h;

void read_workers(const Section& site, SiteConfig& config) {
  const toml::node* const node = site.find("workers");
  if (node == nullptr) return;
  const long cores = ::sysconf(_SC_NPROCESSORS_CONF);
  constexpr auto most = static_cast<std::int64_t>(limits::max_lanes);
  if (!node->is_array()) {
    config.worker_count = static_cast<unsigned>(site.number("workers", 1, most).value_or(1));
    if (config.worker_count != 1) site.refuse("workers", one_worker);
    return;
  }
  for (const std::int64_t number : site.numbers("workers", 0, max_core)) {
    const auto core = static_cast<unsigned>(number);
    if (std::ranges::find(config.worker_cores, core) != config.worker_cores.end()) {
      site.refuse("workers", fmt::format("core {} stands here twice", core));
    }
    if (number >= cores) {
      site.refuse("workers", fmt::format("there is no core {}; this machine has cores 0 to {}",
                                         core, cores - 1));
    }
    config.worker_cores.push_back(core);
  }
  config.worker_count = static_cast<unsigned>(config.worker_cores.size());
  if (config.worker_count != 1) site.refuse("workers", one_worker);
}

void read_site(const Section& site, SiteConfig& config) {
  config.name = site.parsed("name", config::parse_site_name, a_name).value_or("");
  read_workers(site, config);
  config.idle = site.parsed("idle", config::parse_idle, "\"backoff\" or \"spin\"")
                    .value_or(IdleMode::backoff);
  config.log_level = site.parsed("log_level", config::parse_log_level,
                                 "\"debug\", \"info\", \"warn\" or \"error\"")
                         .value_or(log::Level::info);
  config.run_dir = site.text("run_dir").value_or("/run/penstock/" + config.name);
  config.state_dir = site.text("state_dir").value_or("/var/lib/penstock/" + config.name);
  config.lab = site.truth("lab").value_or(false);
  config.slow_crypto = site.truth("slow_crypto").value_or(false);
  config.audit_log = site.text("audit_log");
  config.admin_group = site.text("admin_group").value_or(config.admin_group);
  if (const auto file = site.text("identity_file"))
    config.identity_file = config.file.parent_path() / *file;
  if (config.audit_log && !config.audit_log->is_absolute())
    site.refuse("audit_log", "this must be an absolute path");
  if (!config.state_dir.is_absolute()) site.refuse("state_dir", "this must be an absolute path");
  if (!config.run_dir.is_absolute()) site.refuse("run_dir", "this must be an absolute path");
  if (config.dataplane_socket().string().size() >= sizeof(sockaddr_un::sun_path)) {
    site.refuse("run_dir", "this path is too long for the sockets inside it; choose a shorter one");
  }
}

void read_gateway(const Section& wire, WireConfig& config) {
  config.gateway = wire.parsed("gateway", parse_ip, "an IP address such as \"192.0.2.254\"");
  if (!config.gateway) return;
  if (!config.address.contains(*config.gateway)) {
    wire.refuse("gateway", fmt::format("{} is not in the network of the wire address {}",
                                       to_string(*config.gateway), to_string(config.address)));
  }
  if (*config.gateway == config.address.address) {
    wire.refuse("gateway", "this is the wire address itself; give the router's address");
  }
}

void read_ports(const Section& ports, SiteConfig& config) {
  const Section plain = ports.section("plain", plain_keys);
  config.plain = plain.parsed("device", config::parse_device, a_device).value_or(PortConfig{});

  const Section wire = ports.section("wire", wire_keys);
  config.wire.port = wire.parsed("device", config::parse_device, a_device).value_or(PortConfig{});
  if (config.wire.port.device == config.plain.device) {
    wire.refuse("device", "this is the plain port's device; the two ports must differ");
  }
  config.wire.address =
      wire.parsed("address", parse_prefix,
                  "an address with the length of its network, such as \"192.0.2.1/24\"")
          .value_or(IpPrefix{});
  if (!config::is_host_address(config.wire.address.address) ||
      !config::is_host_in(config.wire.address) || config.wire.address.length == 0) {
    wire.refuse("address", fmt::format("{} is not an address that a host can have on its network",
                                       to_string(config.wire.address)));
  }
  read_gateway(wire, config.wire);
  config.wire.udp_port =
      static_cast<std::uint16_t>(wire.number("udp_port", 1, 65535).value_or(limits::default_port));
}

// "host.example" or "host.example:7670".
bool read_endpoint_name(std::string_view text, LinkConfig& config) {
  const std::size_t colon = text.find(':');
  if (!config::is_host_name(text.substr(0, colon))) return false;
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
  if (!config::is_host_address(address)) {
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
    const auto value = link.parsed(key, config::parse_duration, a_duration);
    if (!value) return fallback;
    if (*value < low || *value > high) {
      link.refuse(key, fmt::format("this must be a duration from \"{}\" to \"{}\"",
                                   config::duration_text(low), config::duration_text(high)));
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
}

LinkConfig read_link(const Section& link, const SiteConfig& site) {
  LinkConfig config;
  config.peer = link.parsed("peer", config::parse_site_name, a_name).value_or("");
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
  config.rekey_bytes = link.parsed("rekey_bytes", config::parse_bytes, "a size such as \"100GB\"");
  if (config.rekey_bytes && *config.rekey_bytes < min_rekey_bytes)
    link.refuse("rekey_bytes", "this must be at least \"1MB\", or rekeys would be all there is");
  config.vlan = static_cast<std::uint16_t>(link.number("vlan", 1, 4094).value_or(0));
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

void read_links(config::Refusals& refusals, const Section& root, SiteConfig& config) {
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

Result<SiteConfig> read_config(const std::filesystem::path& file, const toml::table& table) {
  config::Refusals refusals{file.string()};
  SiteConfig config;
  config.file = file;
  const Section root{refusals, table, "", root_keys};
  read_site(root.section("site", site_keys), config);
  read_ports(root.section("ports", ports_keys), config);
  read_links(refusals, root, config);
  if (refusals.first()) return std::unexpected{*refusals.first()};
  return config;
}

Result<std::string> read_text(const std::filesystem::path& file) {
  const auto refuse = [&] {
    return fail_errno(fmt::format("cannot read the config file {}", file.string()), errno);
  };
  const UniqueFd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return refuse();
  std::string text;
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t count = ::read(fd.get(), chunk.data(), chunk.size());
    if (count < 0) return refuse();
    if (count == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

Result<SiteConfig> load_site_config(const std::filesystem::path& file) {
  const auto text = read_text(file);
  if (!text) return std::unexpected{text.error()};
  return parse_site_config(file, *text);
}

Result<SiteConfig> parse_site_config(const std::filesystem::path& file, std::string_view text) {
  try {
    const toml::table table = toml::parse(text);
    return read_config(file, table);
  } catch (const toml::parse_error& error) {
    const std::string_view what = error.description();
    // The parser read on to the line's end, in search of it.
    const bool lacks_quote = what.find("unescaped control characters") != what.npos;
    return fail(ErrorKind::config,
                fmt::format("{}:{}: {}{}", file.string(), error.source().begin.line, what,
                            lacks_quote ? "; is a quote missing?" : ""));
  }
}

}  // namespace penstock
