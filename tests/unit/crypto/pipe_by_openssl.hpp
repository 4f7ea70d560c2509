// Pipe packets sealed by OpenSSL one at a time, from docs/protocol.md section "Pipes" alone: what
// PipeEngine is held against. It shares no code with the engine.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dice.hpp"
#include "penstock/crypto/pipe_keys.hpp"
#include "sealed_by_openssl.hpp"

namespace penstock {

using Packet = std::vector<std::byte>;  // 1060 bytes
using Text = std::vector<std::byte>;

inline crypto::PipeDirectionKeys random_pipe_keys(Dice& dice) {
  crypto::PipeDirectionKeys keys;
  dice.fill(keys.encrypt.fill());
  dice.fill(keys.mac.fill().first<32>());
  return keys;
}

inline Text random_text(std::size_t length, Dice& dice) {
  Text text(length);
  dice.fill(text);
  return text;
}

// `length` is what the packet says; that of the text where it is honest.
inline Packet pipe_packet_by_openssl(const crypto::PipeDirectionKeys& keys, std::uint64_t number,
                                     const Text& text, std::uint32_t length) {
  Packet packet(1060);
  std::ranges::copy(text, packet.begin());
  store_be32(&packet[1024], length);
  std::array<std::byte, 16> counter{};
  store_be64(counter.data(), number);
  oracle::ctr(keys.encrypt.reveal(), counter, MutableBytes{packet}.first(1028));
  std::vector<std::byte> under_mac(packet.begin(), packet.begin() + 1028);
  under_mac.resize(1036);
  store_be64(&under_mac[1028], number);
  oracle::hmac(keys.mac.reveal().first<32>(), under_mac, MutableBytes{packet}.last(32));
  return packet;
}
inline Packet pipe_packet_by_openssl(const crypto::PipeDirectionKeys& keys, std::uint64_t number,
                                     const Text& text) {
  return pipe_packet_by_openssl(keys, number, text, static_cast<std::uint32_t>(text.size()));
}

}  // namespace penstock
