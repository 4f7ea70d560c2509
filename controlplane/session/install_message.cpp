#include "controlplane/session/install_message.hpp"

#include <algorithm>

namespace penstock::controlplane {
namespace {

// A key that the suite does not have stays zeros.
void derive_lanes(const Agreement& agreement, crypto::Direction direction,
                  std::span<ipc::LaneKeys> lanes) {
  const ProtectionTraits& suite = traits(agreement.suite.protection);
  std::uint16_t lane = 0;
  for (ipc::LaneKeys& keys : lanes) {
    crypto::derive_encrypt_key(agreement.secret, agreement.session_id, direction, lane,
                               std::span{keys.encrypt}.first(suite.encrypt_key));
    crypto::derive_mac_key(agreement.secret, agreement.session_id, direction, lane,
                           std::span{keys.mac}.first(suite.mac_key));
    ++lane;
  }
}

}  // namespace

SecretBox<ipc::InstallSession> make_install(const Agreement& agreement,
                                            const InstallTarget& target) {
  using enum crypto::Direction;
  const bool is_initiator = agreement.role == ipc::Role::initiator;
  SecretBox<ipc::InstallSession> box;
  ipc::InstallSession& message = *box;
  message.boot_id = target.boot_id;
  message.session_id = agreement.session_id;
  message.link = target.link;
  message.local_spi_base = agreement.own.spi_base.value;
  message.remote_spi_base = agreement.peer.spi_base.value;
  message.role = agreement.role;
  message.tag = agreement.shape.tag;
  message.suite = agreement.suite.code();
  message.frame_size = agreement.shape.size;
  message.lanes_out = agreement.own.lanes;
  message.lanes_in = agreement.peer.lanes;
  message.peer_takes_offload = agreement.peer.takes_offload() ? 1 : 0;
  message.peer = ipc::to_wire(target.peer);
  message.max_age_ns = static_cast<std::uint64_t>(target.max_age.count());
  derive_lanes(agreement, is_initiator ? initiator_to_responder : responder_to_initiator,
               std::span{message.out}.first(message.lanes_out));
  derive_lanes(agreement, is_initiator ? responder_to_initiator : initiator_to_responder,
               std::span{message.in}.first(message.lanes_in));
  return box;
}

}  // namespace penstock::controlplane
