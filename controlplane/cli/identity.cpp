// identity: the key by which a site proves to its peers who it is.
#include <fmt/format.h>

#include "penstock/crypto/identity_file.hpp"

#include "controlplane/cli/commands.hpp"

namespace penstock::cli {
namespace {

// As it stands in the config of the peers.
void print_line(const crypto::IdentityKey& key) {
  fmt::print("peer_identity = \"{}\"\n", to_text(key.public_key()));
}

}  // namespace

int new_identity(const std::filesystem::path& file) {
  const auto key = crypto::generate_identity_file(file);
  if (!key) return refuse(key.error());
  fmt::print("wrote {}; it stays here, with its mode 0600, as identity_file in [site]. This line "
             "goes into the other site's [[link]] to this one:\n",
             file.string());
  print_line(*key);
  return 0;
}

int show_identity(const std::filesystem::path& file) {
  const auto key = crypto::read_identity_file(file);
  if (!key) return refuse(key.error());
  print_line(*key);
  return 0;
}

}  // namespace penstock::cli
