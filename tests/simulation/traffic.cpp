#include "traffic.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace penstock::simulation {
namespace {

constexpr std::size_t ethernet = 14;
constexpr std::size_t shortest = 64;
constexpr std::size_t longest = 1514;
constexpr std::uint16_t ethertype = 0x88b5;  // for experiments (IEEE 802)
// Stands every 64 bytes in a plain packet, and nowhere else but by a chance of 2^-64.
constexpr std::array<unsigned char, 8> marker{0xc1, 0xea, 0x4b, 0x17, 0xe5, 0x90, 0x3d, 0x7a};
constexpr std::size_t stride = 64;

std::uint64_t mix(std::uint64_t value) {  // splitmix64
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

std::vector<std::byte> make_packet(std::uint64_t seed, const PacketName& name) {
  std::uint64_t state = mix(seed ^ mix(name.number) ^ mix(name.flow * 2u + name.site + 77u));
  // Mostly short, as on most links.
  const std::size_t room = state % 3 == 0 ? longest : 4 * shortest;
  const std::size_t size = shortest + (state >> 8) % (room - shortest + 1);
  std::vector<std::byte> packet(size);
  for (std::size_t at = 0; at < size; at += sizeof state) {
    state = mix(state);
    std::memcpy(&packet[at], &state, std::min(sizeof state, size - at));
  }
  store_be16(&packet[12], ethertype);
  store_u8(&packet[ethernet], name.site);
  store_u8(&packet[ethernet + 1], name.flow);
  store_be64(&packet[ethernet + 2], name.number);
  for (std::size_t at = 32; at + marker.size() <= size; at += stride)
    std::memcpy(&packet[at], marker.data(), marker.size());
  return packet;
}

std::optional<PacketName> read_name(Bytes packet) {
  if (packet.size() < shortest || load_be16(&packet[12]) != ethertype) return std::nullopt;
  return PacketName{.site = load_u8(&packet[ethernet]),
                    .flow = load_u8(&packet[ethernet + 1]),
                    .number = load_be64(&packet[ethernet + 2])};
}

bool has_plain_bytes(Bytes bytes) {
  return memmem(bytes.data(), bytes.size(), marker.data(), marker.size()) != nullptr;
}

}  // namespace penstock::simulation
