#include "penstock/config/site_config.hpp"

#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "links.hpp"
#include "penstock/base/unique_fd.hpp"
#include "pipes.hpp"
#include "reader.hpp"
#include "values.hpp"

namespace penstock {
namespace {

using config::Key;
using config::Section;

constexpr std::array root_keys{Key{"site", true}, Key{"ports", true}, Key{"link", true},
                               Key{"pipe"}};
// Of a site that has nothing but pipes.
constexpr std::array root_keys_of_pipes{Key{"site", true}, Key{"pipe", true}};
constexpr std::array site_keys{Key{"name", true},  Key{"workers"},      Key{"idle"},
                               Key{"run_dir"},     Key{"state_dir"},    Key{"log_level"},
                               Key{"lab"},         Key{"slow_crypto"},  Key{"audit_log"},
                               Key{"admin_group"}, Key{"identity_file"}};
constexpr std::array ports_keys{Key{"plain", true}, Key{"wire", true}};
constexpr std::array plain_keys{Key{"device", true}};
constexpr std::array wire_keys{Key{"device", true}, Key{"address", true}, Key{"gateway"},
                               Key{"udp_port"}};

constexpr std::string_view a_device =
    "a device: write \"af_packet:eth0\" for a kernel interface or \"ethdev:DEVARGS\" for DPDK";

constexpr std::int64_t max_core = 1023;  // what a cpu_set_t holds

void read_workers(const Section& site, SiteConfig& config) {
  const toml::node* const node = site.find("workers");
  if (node == nullptr) return;
  // Asked once: a process that has confined itself cannot look.
  static const long cores = ::sysconf(_SC_NPROCESSORS_CONF);
  constexpr auto most = static_cast<std::int64_t>(limits::max_lanes);
  if (!node->is_array()) {
    config.worker_count = static_cast<unsigned>(site.number("workers", 1, most).value_or(1));
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
  if (config.worker_cores.size() > limits::max_lanes)
    site.refuse("workers", fmt::format("at most {} workers, one for each lane", limits::max_lanes));
}

void read_site(const Section& site, SiteConfig& config) {
  config.name = site.parsed("name", config::parse_site_name, config::a_name).value_or("");
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
  if (config.wire.udp_port + config.worker_count > 65536) {
    wire.refuse(
        "udp_port",
        fmt::format("{} workers send from as many ports, this one and those above it; write "
                    "{} or less",
                    config.worker_count, 65536 - config.worker_count));
  }
}

Result<SiteConfig> read_config(const std::filesystem::path& file, const toml::table& table) {
  config::Refusals refusals{file.string()};
  SiteConfig config;
  config.file = file;
  const bool has_only_pipes =
      table.contains("pipe") && !table.contains("link") && !table.contains("ports");
  const Section root{refusals, table, "",
                     has_only_pipes ? std::span<const Key>{root_keys_of_pipes} : root_keys};
  read_site(root.section("site", site_keys), config);
  if (!has_only_pipes) {
    read_ports(root.section("ports", ports_keys), config);
    config::read_links(refusals, root, config);
  }
  config::read_pipes(refusals, root, config);
  if (refusals.first()) return std::unexpected{*refusals.first()};
  return config;
}

}  // namespace

Error only_pipes(const SiteConfig& config) {
  return {ErrorKind::config, fmt::format("{}: this site has pipes and no [[link]]: `penstock run` "
                                         "starts its pipes, and needs no other program",
                                         config.file.string())};
}

Result<std::string> read_site_text(const std::filesystem::path& file) {
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

Result<SiteConfig> load_site_config(const std::filesystem::path& file) {
  const auto text = read_site_text(file);
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
