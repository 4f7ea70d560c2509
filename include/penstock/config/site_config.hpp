// The config file of a site, read by both programs through this one parser. Every key is
// explained in configs/site.toml. Unknown keys are refused; errors name file, line and key.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/base/address.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/base/error.hpp"
#include "penstock/base/identity_public.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/base/log.hpp"
#include "penstock/base/shape.hpp"
#include "penstock/base/suite.hpp"

namespace penstock {

enum class IdleMode : std::uint8_t { backoff, spin };

// `device` in the file: "af_packet:eth1" (our packet-socket port) or "ethdev:DEVARGS", where
// DEVARGS is what DPDK's --vdev or --allow takes, e.g. "ethdev:net_memif0,role=client,...".
struct PortConfig {
  enum class Kind : std::uint8_t { af_packet, ethdev };
  Kind kind = Kind::af_packet;
  std::string device;  // interface name, or devargs
  bool operator==(const PortConfig&) const = default;
};

struct WireConfig {
  PortConfig port;
  IpPrefix address;
  std::optional<IpAddress> gateway;
  std::uint16_t udp_port = limits::default_port;
};

struct LinkConfig {
  std::string peer;
  // Where the far side receives. Port 0: it is not said; the far side comes to us (roam).
  Endpoint endpoint;
  std::string endpoint_name;  // not empty: resolve it; endpoint has but the port
  std::filesystem::path key_file;
  std::optional<std::filesystem::path> old_key_file;  // accepted until key_file has proved good
  std::optional<IdentityPublic> peer_identity;        // whose signature a session takes
  std::vector<Suite> suites;                          // in order of preference
  std::optional<std::uint16_t> frame_size;            // else from `mtu`, else the wire's MTU
  std::optional<std::uint16_t> mtu;                   // of the path: its largest IP packet
  bool finds_mtu = false;                             // mtu = "auto": by probes
  std::uint8_t tag = limits::default_tag;
  std::uint8_t min_tag = limits::default_tag;
  std::chrono::microseconds hold{0};  // how long an open frame waits for more packets
  Time rekey_after = limits::rekey_after;
  Time max_age = limits::session_max_age;
  std::optional<std::uint64_t> rekey_bytes;  // of frames a lane has sent; else the suite's limit
  Time dead_after = limits::dead_after;
  bool roam = false;       // the far side's address may change while a session lives
  bool nat = false;        // we are behind a NAT: all lanes leave from one UDP port
  std::uint16_t vlan = 0;  // packets of this VLAN are the link's; 0: those that no other takes
  Shape shape;
  PriorityBy priority = PriorityBy::dscp;
  std::uint8_t dscp = 0;     // of the outer header (RFC 2474)
  bool copies_dscp = false;  // dscp = "copy": a frame has that of the first packet begun in it
  bool ecn = false;          // frames are ECN-capable, and CE marks are reported to their sender

  bool operator==(const LinkConfig&) const = default;
};

// A [[pipe]]: an encrypted pipe between two socket addresses, a process of its own.
struct PipeConfig {
  enum class Mode : std::uint8_t { encrypt, decrypt };  // the target's side is sealed; the source's
  enum class Secrecy : std::uint8_t { yes, no, require };

  std::string name;
  Mode mode = Mode::encrypt;
  std::string source;  // as spiped writes sockets: host:port, [address]:port, /path
  std::string target;
  std::filesystem::path key_file;
  Secrecy forward_secrecy = Secrecy::yes;
  unsigned max_connections = 100;  // 0: no limit
  Time timeout = std::chrono::seconds{5};
  Time resolve_every = std::chrono::seconds{60};  // 0: never again
  std::string bind;                               // where it connects from; empty: anywhere
  std::string user;                               // "user", ":group" or "user:group"; empty: ours
  bool keep_alive = true;

  bool operator==(const PipeConfig&) const = default;
};

struct SiteConfig {
  std::filesystem::path file;  // where it was read from
  std::string name;
  std::filesystem::path run_dir;    // sockets; default /run/penstock/<name>
  std::filesystem::path state_dir;  // what outlives a restart; /var/lib/penstock/<name>
  std::optional<std::filesystem::path> identity_file;  // our own Ed25519 key
  std::optional<std::filesystem::path> audit_log;      // else the audit lines are in the log only
  std::string admin_group = "penstock";  // may read the status, if there is such a group
  std::vector<unsigned> worker_cores;    // empty: worker_count workers float
  unsigned worker_count = 1;
  IdleMode idle = IdleMode::backoff;
  log::Level log_level = log::Level::info;
  bool lab = false;          // NULL suites are allowed, which protect nothing
  bool slow_crypto = false;  // run on a CPU without AES instructions all the same
  PortConfig plain;
  WireConfig wire;
  std::vector<LinkConfig> links;
  std::vector<PipeConfig> pipes;

  // Else it has no ports either, and pipes alone.
  [[nodiscard]] bool has_links() const { return !links.empty(); }
  [[nodiscard]] std::filesystem::path dataplane_socket() const {
    return run_dir / "dataplane.sock";
  }
  [[nodiscard]] std::filesystem::path admin_socket() const { return run_dir / "admin.sock"; }
};

// What a program says that serves links, of a site without one.
[[nodiscard]] Error only_pipes(const SiteConfig& config);

// For the operator: "constant, 100Mbit; packets wait at most 50ms".
[[nodiscard]] std::string describe(const Shape& shape);

[[nodiscard]] Result<SiteConfig> load_site_config(const std::filesystem::path& file);
[[nodiscard]] Result<std::string> read_site_text(const std::filesystem::path& file);
// The same from the file's text; `file` is where it came from.
[[nodiscard]] Result<SiteConfig> parse_site_config(const std::filesystem::path& file,
                                                   std::string_view text);

}  // namespace penstock
