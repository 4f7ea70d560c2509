// key rotate, key restore: the change of a link's long-term key, without an outage.
#include <fmt/format.h>

#include "controlplane/cli/admin_client.hpp"
#include "controlplane/cli/commands.hpp"

namespace penstock::cli {

int restore_key(const SiteChoice& choice, const std::string& peer) {
  const auto done = ask_site(choice, {{"method", "restore_key"}, {"peer", peer}});
  if (!done) return refuse(done.error());
  fmt::print("the keys that the config has for the link to {} are all accepted again\n", peer);
  return 0;
}

}  // namespace penstock::cli
