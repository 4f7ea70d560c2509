#include "controlplane/shell/config_changes.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace penstock::controlplane {

std::string needs_a_restart(const SiteConfig& a, const SiteConfig& b) {
  const std::array<std::pair<std::string_view, bool>, 15> differs{{
      {"site.name", a.name != b.name},
      {"site.workers", a.worker_cores != b.worker_cores || a.worker_count != b.worker_count},
      {"site.idle", a.idle != b.idle},
      {"site.run_dir", a.run_dir != b.run_dir},
      {"site.state_dir", a.state_dir != b.state_dir},
      {"site.admin_group", a.admin_group != b.admin_group},
      {"site.log_level", a.log_level != b.log_level},
      {"site.audit_log", a.audit_log != b.audit_log},
      {"site.lab", a.lab != b.lab},
      {"site.slow_crypto", a.slow_crypto != b.slow_crypto},
      {"ports.plain.device", a.plain != b.plain},
      {"ports.wire.device", a.wire.port != b.wire.port},
      {"ports.wire.address", a.wire.address != b.wire.address},
      {"ports.wire.gateway", a.wire.gateway != b.wire.gateway},
      {"ports.wire.udp_port", a.wire.udp_port != b.wire.udp_port},
  }};
  std::string names;
  for (const auto& [name, is_other] : differs)
    if (is_other) names += (names.empty() ? "" : ", ") + std::string{name};
  return names;
}

}  // namespace penstock::controlplane
