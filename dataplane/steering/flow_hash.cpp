#include "dataplane/steering/flow_hash.hpp"

#include <sys/random.h>

#include <array>
#include <cstring>

#include "penstock/base/check.hpp"
#include "penstock/wire/outer.hpp"

namespace penstock::dataplane {
namespace {

constexpr unsigned most_tags = 2;

__extension__ using Wide = unsigned __int128;

// The process's own, so that nobody can choose flows that all fall to one worker.
using Seed = std::array<std::uint64_t, 2>;
const Seed seed = [] {
  Seed random;
  check(getrandom(random.data(), sizeof random, 0) == ssize_t{sizeof random}, "randomness");
  return random;
}();

// Multiply and fold, as wyhash does: two words in, every bit of both in every bit out.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<Wide>(a ^ seed[0]) * (b ^ seed[1]);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

template <class T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

std::uint32_t fold(std::uint64_t hash) { return static_cast<std::uint32_t>(hash ^ hash >> 32); }

bool has_ports(std::uint8_t protocol) {
  return protocol == protocol_tcp || protocol == protocol_udp;
}

std::uint32_t ports_at(Bytes ip, std::size_t at) {
  return ip.size() >= at + 4 ? load<std::uint32_t>(&ip[at]) : 0;
}

std::uint32_t hash_v4(Bytes ip) {
  const std::size_t header = ipv4_header_length(ip.data());
  const bool is_whole = !is_ipv4_fragment(ip.data());
  const std::uint32_t ports =
      is_whole && has_ports(load_u8(&ip[9])) && header >= ipv4_header ? ports_at(ip, header) : 0;
  return fold(mix(load<std::uint64_t>(&ip[12]), ports));
}

std::uint32_t hash_v6(Bytes ip) {
  const std::uint32_t ports = has_ports(load_u8(&ip[6])) ? ports_at(ip, ipv6_header) : 0;
  const std::uint64_t source = mix(load<std::uint64_t>(&ip[8]), load<std::uint64_t>(&ip[16]));
  const std::uint64_t destination = mix(load<std::uint64_t>(&ip[24]), load<std::uint64_t>(&ip[32]));
  return fold(mix(mix(source, destination), ports));
}

}  // namespace

std::uint32_t flow_hash(Bytes packet) {
  if (packet.size() < ethernet_header) return 0;
  std::size_t at = ethertype_at;
  std::uint16_t ethertype = load_be16(&packet[at]);
  for (unsigned tags = 0; tags < most_tags; ++tags) {
    if (!is_vlan_tag(ethertype)) break;
    if (packet.size() < at + vlan_tag + 2) break;
    at += vlan_tag;
    ethertype = load_be16(&packet[at]);
  }
  const Bytes ip = packet.subspan(at + 2);
  if (ethertype == ethertype_ipv4 && ip.size() >= ipv4_header) return hash_v4(ip);
  if (ethertype == ethertype_ipv6 && ip.size() >= ipv6_header) return hash_v6(ip);
  return fold(mix(load<std::uint64_t>(packet.data()),
                  std::uint64_t{load<std::uint32_t>(&packet[8])} << 16 | ethertype));
}

}  // namespace penstock::dataplane
