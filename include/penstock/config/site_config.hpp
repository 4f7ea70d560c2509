// The config file of a site, read by both programs through this one parser. Every key is
// explained in configs/site.toml. Unknown keys are refused; errors name file, line and key.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/address.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/base/error.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/base/log.hpp"
#include "penstock/base/suite.hpp"

namespace penstock {

enum class IdleMode : std::uint8_t { backoff, spin };

// `device` in the file: "af_packet:eth1" (our packet-socket port) or "ethdev:DEVARGS", where
// DEVARGS is what DPDK's --vdev or --allow takes, e.g. "ethdev:net_memif0,role=client,...".
struct PortConfig {
  enum class Kind : std::uint8_t { af_packet, ethdev };
  Kind kind = Kind::af_packet;
  std::string device;  // interface name, or devargs
};

struct WireConfig {
  PortConfig port;
  IpPrefix address;
  std::optional<IpAddress> gateway;
  std::uint16_t udp_port = limits::default_port;
};

struct LinkConfig {
  std::string peer;
  Endpoint endpoint;
  std::filesystem::path key_file;
  std::vector<Suite> suites;                // in order of preference
  std::optional<std::uint16_t> frame_size;  // else from the wire MTU
  std::uint8_t tag = limits::default_tag;
  std::uint8_t min_tag = limits::default_tag;
  std::chrono::microseconds hold{0};  // how long an open frame waits for more packets
  Time rekey_after = limits::rekey_after;
  Time max_age = limits::session_max_age;
};

struct SiteConfig {
  std::filesystem::path file;  // where it was read from
  std::string name;
  std::filesystem::path run_dir;       // sockets; default /run/penstock/<name>
  std::vector<unsigned> worker_cores;  // empty: worker_count workers float
  unsigned worker_count = 1;
  IdleMode idle = IdleMode::backoff;
  log::Level log_level = log::Level::info;
  bool lab = false;          // NULL suites are allowed, which protect nothing
  bool slow_crypto = false;  // run on a CPU without AES instructions all the same
  PortConfig plain;
  WireConfig wire;
  std::vector<LinkConfig> links;

  [[nodiscard]] std::filesystem::path dataplane_socket() const {
    return run_dir / "dataplane.sock";
  }
  [[nodiscard]] std::filesystem::path admin_socket() const { return run_dir / "admin.sock"; }
};

[[nodiscard]] Result<SiteConfig> load_site_config(const std::filesystem::path& file);

}  // namespace penstock
