#include "controlplane/session/install_message.hpp"

#include <algorithm>
#include <vector>

#include "penstock/base/check.hpp"
#include "penstock/wire/packet_bytes.hpp"

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

void derive_probes(const Agreement& agreement, crypto::Direction direction, ipc::LaneKeys& keys) {
  const ProtectionTraits& suite = traits(agreement.suite.protection);
  crypto::derive_probe_encrypt_key(agreement.secret, agreement.session_id, direction,
                                   std::span{keys.encrypt}.first(suite.encrypt_key));
  crypto::derive_probe_mac_key(agreement.secret, agreement.session_id, direction,
                               std::span{keys.mac}.first(suite.mac_key));
}

constexpr std::uint64_t nanoseconds(Time time) { return static_cast<std::uint64_t>(time.count()); }

std::uint64_t least_rate(const Shape& shape, std::uint64_t slowest, std::size_t bytes) {
  if (!shape.adapt) return 0;
  return shape.least ? shape.least->frames(bytes) : std::max<std::uint64_t>(slowest / 10, 1);
}

ipc::Shaping shaping_of(const LinkConfig& config, std::size_t bytes) {
  const Shape& shape = config.shape;
  std::vector<Rate> rates = shape.steps;
  if (shape.rate) rates.push_back(*shape.rate);
  ipc::Shaping shaping{.dwell_ns = nanoseconds(shape.dwell),
                       .queue_ns = nanoseconds(shape.queue),
                       .mode = shape.mode,
                       .steps = static_cast<std::uint8_t>(std::max<std::size_t>(rates.size(), 1)),
                       .adapts = shape.adapt ? std::uint8_t{1} : std::uint8_t{0},
                       .ecn = config.ecn ? std::uint8_t{1} : std::uint8_t{0},
                       .priority = config.priority,
                       .dscp = config.dscp,
                       .copies_dscp = config.copies_dscp ? std::uint8_t{1} : std::uint8_t{0},
                       .finds_mtu = config.finds_mtu ? std::uint8_t{1} : std::uint8_t{0}};
  std::ranges::transform(rates, shaping.rates.begin(),
                         [&](const Rate& rate) { return rate.frames(bytes); });
  shaping.least_rate = least_rate(shape, shaping.rates[0], bytes);
  return shaping;
}

// `message` has its frame size and its peer.
void fill_from_config(ipc::InstallSession& message, const LinkConfig& config) {
  message.vlan = config.vlan;
  message.roams = config.roam ? 1 : 0;
  // What stands before a far side that moves (a NAT, a firewall) lets in what comes from the port
  // that the far side sends to.
  message.uses_one_port = (config.nat || config.roam) ? 1 : 0;
  message.max_age_ns = nanoseconds(config.max_age);
  message.hold_ns = nanoseconds(config.hold);
  message.dead_after_ns = nanoseconds(config.dead_after);
  if (config.rekey_bytes)
    message.rekey_frames = std::max<std::uint64_t>(*config.rekey_bytes / message.frame_size, 1);
  message.shaping = shaping_of(
      config, packet_bytes(ipc::from_wire(message.peer).address.version, message.frame_size));
  check(config.peer.size() < message.peer_name.size(), "a site's name has a limit");
  std::ranges::copy(config.peer, message.peer_name.begin());
}

}  // namespace

SecretBox<ipc::InstallSession> make_install(const Agreement& agreement, const InstallTarget& target,
                                            const LinkConfig& config) {
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
  fill_from_config(message, config);
  const auto outbound = is_initiator ? initiator_to_responder : responder_to_initiator;
  const auto inbound = is_initiator ? responder_to_initiator : initiator_to_responder;
  derive_lanes(agreement, outbound, std::span{message.out}.first(message.lanes_out));
  derive_lanes(agreement, inbound, std::span{message.in}.first(message.lanes_in));
  derive_probes(agreement, outbound, message.probe_out);
  derive_probes(agreement, inbound, message.probe_in);
  return box;
}

}  // namespace penstock::controlplane
