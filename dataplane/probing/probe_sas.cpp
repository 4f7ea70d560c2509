#include "dataplane/probing/probe_sas.hpp"

#include <algorithm>

namespace penstock::dataplane::probing {
namespace {

bool is_made(const ipc::LaneKeys& keys, Protection protection) {
  return protection == Protection::none ||
         std::ranges::any_of(keys.encrypt, [](std::byte byte) { return byte != std::byte{}; });
}

ProbeKeys keys_of(const ipc::InstallSession& message, const ipc::LaneKeys& keys) {
  return {suite_from_code(message.suite)->protection, message.tag,
          EncryptKey{std::span{keys.encrypt}}, MacKey{std::span{keys.mac}}};
}

}  // namespace

std::unique_ptr<ProbeSas> ProbeSas::make(const ipc::InstallSession& message) {
  const Protection protection = suite_from_code(message.suite)->protection;
  if (!is_made(message.probe_out, protection) || !is_made(message.probe_in, protection))
    return nullptr;
  return std::make_unique<ProbeSas>(
      ProbeSas{.out = {keys_of(message, message.probe_out), Spi{message.remote_spi_base}},
               .in = ProbeOpener{keys_of(message, message.probe_in)},
               .window = {},
               .finds_mtu = message.shaping.finds_mtu != 0});
}

}  // namespace penstock::dataplane::probing
