// What every message between the planes begins with, and what several of them carry
// (messages.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "penstock/base/address.hpp"

namespace penstock::ipc {

inline constexpr std::uint32_t version = 7;

using BootId = std::array<std::byte, 16>;     // random, of one life of the data plane
using SessionId = std::array<std::byte, 32>;  // T4 of its handshake

enum class MessageType : std::uint16_t {
  hello = 1,  // controller -> data plane
  hello_reply,
  install_session,  // controller -> data plane
  install_reply,
  remove_session,  // controller -> data plane
  remove_reply,
  list_sessions,  // controller -> data plane
  session_info,
  list_end,
  inject,     // controller -> data plane: send this datagram; no reply
  punt,       // data plane -> controller: a handshake datagram arrived
  event,      // data plane -> controller
  get_stats,  // controller -> data plane
  stats,
  inject_inside,  // controller -> data plane: send it inside this session; no reply
  punt_inside,    // data plane -> controller: a handshake message arrived inside a session
  link_peer,      // controller -> data plane: where a link's far side is expected; no reply
  zeroize,        // controller -> data plane
  zeroize_reply,
  list_links,  // controller -> data plane: a link_stats each of the links that have any, list_end
  link_stats,
  get_topology,  // controller -> data plane: as many topology_text as it takes, list_end
  topology_text,
  list_workers,  // controller -> data plane: a worker_stats each, list_end
  worker_stats,
};

struct Header {
  MessageType type{};
  std::uint16_t zero = 0;
  std::uint32_t request = 0;  // echoed in the reply
};

// Addresses flattened: all bytes count, so that messages have no holes with old memory.
struct WireEndpoint {
  std::array<std::byte, 16> address{};
  std::uint16_t port = 0;  // host order
  std::uint8_t ip_version = 4;
  std::uint8_t zero = 0;
};
[[nodiscard]] WireEndpoint to_wire(const Endpoint& endpoint);
[[nodiscard]] Endpoint from_wire(const WireEndpoint& endpoint);

}  // namespace penstock::ipc
