// From an agreement to the message that installs its session in the data plane: the only
// place where SA keys are derived. They go straight into secret memory.
#pragma once

#include "penstock/base/address.hpp"
#include "penstock/config/site_config.hpp"
#include "penstock/ipc/messages.hpp"
#include "penstock/keys/secret.hpp"

#include "controlplane/handshake/agreement.hpp"

namespace penstock::controlplane {

struct InstallTarget {
  ipc::BootId boot_id{};
  std::uint32_t link = 0;
  Endpoint peer;
};

[[nodiscard]] SecretBox<ipc::InstallSession> make_install(const Agreement& agreement,
                                                          const InstallTarget& target,
                                                          const LinkConfig& config);

}  // namespace penstock::controlplane
