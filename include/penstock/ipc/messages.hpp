// The one door between the planes: fixed-size messages over a Unix SOCK_SEQPACKET socket,
// one message a packet, native byte order (both ends are one build on one machine).
//
// The data plane listens and serves one controller at a time, which must run as root or as
// the data plane's own user (peer credentials). The controller speaks first (hello).
// Every request gets exactly one reply with its request number, except lists (one message each,
// then list_end). punt, punt_inside and event come unasked.
// Keys flow down only, in install_session; both sides wipe that message after use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "penstock/base/address.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/base/shape.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/ipc/figures.hpp"
#include "penstock/ipc/header.hpp"
#include "penstock/ipc/shaping.hpp"

namespace penstock::ipc {

struct Hello {
  static constexpr auto type = MessageType::hello;
  Header header{.type = type};
  std::uint32_t version = ipc::version;
  std::uint32_t zero = 0;
};

struct HelloReply {
  static constexpr auto type = MessageType::hello_reply;
  Header header{.type = type};
  std::uint32_t version = ipc::version;
  std::uint32_t is_accepted = 0;  // 0: another version, the connection ends
  BootId boot_id{};
  std::uint16_t max_frame_size = 0;  // UDP payload that the wire MTU allows
  std::uint16_t lanes = 0;           // = workers
  std::uint8_t takes_offload = 0;    // the plain port can finish kind 3 packets
  std::array<std::uint8_t, 3> zero{};
  WireEndpoint wire;              // where this site receives
  std::array<char, 16> isa{};     // "x86-64-v4"
  std::array<char, 96> engine{};  // EnginePlan::describe(), of all and of each protection
  std::array<std::array<char, 192>, protections.size()> engine_protections{};
  std::array<char, 64> plain_device{};
  std::array<char, 64> wire_device{};
};

// A site's name, with zeros behind it.
using SiteName = std::array<char, 64>;
static_assert(sizeof(SiteName) > limits::max_site_name);

enum class Role : std::uint8_t { initiator = 0, responder = 1 };

struct LaneKeys {
  std::array<std::byte, 32> encrypt{};
  std::array<std::byte, 48> mac{};
};

struct InstallSession {
  static constexpr auto type = MessageType::install_session;
  Header header{.type = type};
  BootId boot_id{};
  SessionId session_id{};
  std::uint32_t link = 0;             // the controller's number for it, below limits::max_links
  std::uint32_t local_spi_base = 0;   // frames to us carry local_spi_base + lane
  std::uint32_t remote_spi_base = 0;  // frames to the peer
  Role role{};
  std::uint8_t tag = 0;     // bytes
  std::uint16_t suite = 0;  // Suite::code()
  std::uint16_t frame_size = 0;
  std::uint16_t lanes_out = 0;  // 1..limits::max_lanes; what this site sends on
  std::uint16_t lanes_in = 0;
  std::uint16_t vlan = 0;  // the link takes packets of this VLAN; 0: what no other takes
  std::uint8_t peer_takes_offload = 0;
  std::uint8_t roams = 0;          // the far side's address may change
  std::uint8_t uses_one_port = 0;  // all lanes leave from the site's UDP port (a NAT)
  std::uint8_t zero = 0;
  WireEndpoint peer;
  std::uint64_t max_age_ns = 0;     // hard stop
  std::uint64_t hold_ns = 0;        // how long an open frame waits for more packets
  std::uint64_t dead_after_ns = 0;  // silence after which peer_silent is told
  std::uint64_t rekey_frames = 0;   // of an SA, where that is less than the suite's limit; 0: no
  Shaping shaping;
  SiteName peer_name{};  // tells the link when a controller takes sessions over
  LaneKeys probe_out{};  // of path probes; zeros: there are none
  LaneKeys probe_in{};
  std::array<LaneKeys, limits::max_lanes> out{};
  std::array<LaneKeys, limits::max_lanes> in{};
};

enum class InstallResult : std::uint32_t {
  installed = 0,
  wrong_boot,      // made for another life of the data plane
  seen_before,     // this session id was installed once already
  slot_taken,      // the SPI's slot belongs to a living session
  bad_parameters,  // lanes, frame size, tag, suite, VLAN or link out of range
  no_memory,
  zeroized,  // this connection had every key wiped; a new one may install again
};

struct InstallReply {
  static constexpr auto type = MessageType::install_reply;
  Header header{.type = type};
  InstallResult result{};
  std::uint32_t zero = 0;
};

struct RemoveSession {
  static constexpr auto type = MessageType::remove_session;
  Header header{.type = type};
  SessionId session_id{};
};

struct RemoveReply {
  static constexpr auto type = MessageType::remove_reply;
  Header header{.type = type};
  std::uint32_t was_there = 0;
  std::uint32_t zero = 0;
};

struct ListSessions {
  static constexpr auto type = MessageType::list_sessions;
  Header header{.type = type};
};

enum class SessionState : std::uint8_t {
  unconfirmed = 1,  // installed; nothing good arrived on it yet
  current = 2,      // confirmed, and what the link sends on
  retiring = 3,     // replaced; still receives for the grace time
};

struct SessionInfo {
  static constexpr auto type = MessageType::session_info;
  Header header{.type = type};
  SessionId session_id{};
  std::uint32_t link = 0;
  std::uint32_t local_spi_base = 0;
  std::uint32_t remote_spi_base = 0;
  Role role{};
  SessionState state{};
  std::uint16_t suite = 0;
  std::uint16_t frame_size = 0;
  std::uint16_t lanes_out = 0;
  std::uint16_t lanes_in = 0;
  std::uint8_t tag = 0;
  std::uint8_t peer_takes_offload = 0;
  std::uint8_t is_silent = 0;  // peer_silent was the last thing told of it
  ShapeMode shaping{};
  std::array<std::uint8_t, 2> zero{};
  WireEndpoint peer;
  SiteName peer_name{};
  std::uint64_t age_ns = 0;
  std::uint64_t idle_ns = 0;        // since the last good frame; age_ns if none came
  std::uint64_t frames_sealed = 0;  // all lanes
  std::uint64_t frames_opened = 0;
  std::uint64_t failed_opens = 0;
  std::uint64_t silent_lanes = 0;  // as the last lanes_turned said
};

struct ListEnd {
  static constexpr auto type = MessageType::list_end;
  Header header{.type = type};
  std::uint32_t count = 0;
  std::uint32_t zero = 0;
};

struct Datagram {
  WireEndpoint peer;  // from (punt) or to (inject)
  std::uint16_t length = 0;
  std::uint16_t zero = 0;
  std::array<std::byte, limits::handshake_message> bytes{};
};

struct Inject {
  static constexpr auto type = MessageType::inject;
  Header header{.type = type};
  Datagram datagram;
};

struct Punt {
  static constexpr auto type = MessageType::punt;
  Header header{.type = type};
  Datagram datagram;
};

// A handshake message that travels inside a living session, as a control block.
struct InsideMessage {
  SessionId session_id{};
  std::array<std::byte, limits::handshake_message> bytes{};
};

struct InjectInside {
  static constexpr auto type = MessageType::inject_inside;
  Header header{.type = type};
  InsideMessage message;
};

struct PuntInside {
  static constexpr auto type = MessageType::punt_inside;
  Header header{.type = type};
  InsideMessage message;
};

// What the data plane knows of a link while it has no session. Handshake messages from `peer`
// come out of the link's own budget, not the strangers'; packets of `vlan` are the link's, and
// are dropped while it is down. Sent for every link behind hello, and when one of these changes.
struct LinkPeer {
  static constexpr auto type = MessageType::link_peer;
  Header header{.type = type};
  std::uint32_t link = 0;
  WireEndpoint peer;         // port 0: nowhere in particular
  std::uint16_t vlan = 0;    // as in install_session; 0: none
  std::uint8_t is_gone = 0;  // the link is no more: its VLAN is shut until a link has it
  std::uint8_t zero = 0;
};

// Every session ends at once, without a grace, and its keys are wiped; install_session is
// refused until another connection says hello. The reply comes when the last key is gone.
struct Zeroize {
  static constexpr auto type = MessageType::zeroize;
  Header header{.type = type};
};

struct ZeroizeReply {
  static constexpr auto type = MessageType::zeroize_reply;
  Header header{.type = type};
  std::uint32_t sessions = 0;  // that there were
  std::uint32_t zero = 0;
};

enum class EventKind : std::uint32_t {
  session_confirmed = 1,  // it is now what the link sends on, with all workers
  session_removed,        // detail: RemovalReason
  rekey_wanted,           // a soft limit (frames, failed opens) was reached
  peer_silent,            // of the current session: nothing good came for dead_after
  peer_heard,             // ... and then something did
  peer_moved,             // it roamed: frames go to `peer` now
  path_frame,             // detail: the largest frame that the path to the far side carries
  link_stopped,           // the circuit breaker: too much is lost; detail: of a million frames
  link_resumed,           // ... and tried again with success
  lanes_turned,           // detail: the lanes of the current session that come here; silent_lanes:
                          // those of them on which nothing comes, while on others it does
};

enum class RemovalReason : std::uint32_t {
  by_controller = 1,
  unconfirmed,  // nobody spoke on it within limits::confirm_within
  replaced,     // its grace after a rekey is over
  max_age,
  zeroized,
};

struct Event {
  static constexpr auto type = MessageType::event;
  Header header{.type = type};
  EventKind kind{};
  std::uint32_t detail = 0;
  std::uint32_t link = 0;
  SessionId session_id{};
  WireEndpoint peer;               // of peer_moved
  std::uint64_t silent_lanes = 0;  // of lanes_turned: bit l for lane l
};

inline constexpr std::size_t max_message = sizeof(InstallSession);

template <class M>
concept Message = std::is_trivially_copyable_v<M> && std::has_unique_object_representations_v<M> &&
                  sizeof(M) <= max_message && requires { M::type; };

static_assert(Message<Hello> && Message<HelloReply> && Message<InstallSession> &&
              Message<InstallReply> && Message<RemoveSession> && Message<RemoveReply> &&
              Message<ListSessions> && Message<SessionInfo> && Message<ListEnd> &&
              Message<Inject> && Message<Punt> && Message<InjectInside> && Message<PuntInside> &&
              Message<Event> && Message<GetStats> && Message<Stats> && Message<LinkPeer> &&
              Message<Zeroize> && Message<ZeroizeReply> && Message<ListLinks> &&
              Message<LinkStats> && Message<GetTopology> && Message<TopologyText> &&
              Message<ListWorkers> && Message<WorkerStats>);

}  // namespace penstock::ipc
