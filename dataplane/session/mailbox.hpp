// What the main core and a worker tell each other. Small values through rings, one way each;
// sessions and packets change hands by pointer.
//
//   commands  main core -> worker   install, confirm, remove, next hop, inject, control
//   notes     worker -> main core   what became of sessions: never lost
//   punts     worker -> main core   packets it cannot deal with: dropped when the ring is full
//   strangers worker -> main core   handshakes of strangers, who must not fill that ring
//   probes    worker -> main core   path probes, of which no flood must crowd out anything else
//   heard     worker -> main core   messages inside sessions, which no flood must crowd out
//   traces    worker -> main core   where the far sides of sessions that roam may have moved
//   reports   worker -> main core   what far sides say of frames that another worker sends
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "penstock/base/address.hpp"
#include "penstock/ipc/messages.hpp"
#include "penstock/link/frame_report.hpp"
#include "penstock/wire/block.hpp"

#include "dataplane/session/ring.hpp"
#include "dataplane/session/session_table.hpp"
#include "dataplane/session/wake.hpp"

struct rte_mbuf;

namespace penstock::dataplane {

struct Command {
  enum class Kind : std::uint32_t {
    install,    // `session` now belongs to the worker
    begin,      // all workers have their share of `session`: what awaits that may speak
    confirm,    // another worker had a good frame of `session`
    remove,     // give `session` back
    next_hop,   // frames by way of `address` go to `mac` from now on
    inject,     // send the whole packet `packet`
    control,    // send the control block in `packet` inside `session`, if it still lives
    challenge,  // the same, but to `peer` by way of `mac`, in a frame of its own
    vlan,       // `link`, which may be down, has the VLAN `vlan`
    zeroize,    // give every session back, nothing in it finished; never refused for lack of room
    wipe,       // what other workers have handed over: they gave all sessions back, too
    link_gone,  // `link`, whose VLAN was `vlan`, is no more
    move,       // frames of `session` go to `peer` from now on, by way of `address` at `mac`
    report,     // the far side says `report` of the frames that this worker sends in `session`
  };
  Kind kind{};
  MacAddress mac;
  IpAddress address;
  Endpoint peer;
  Session* session = nullptr;  // may be freed before the worker reads this: Worker::has()
  Spi spi;                     // its local_spi_base; who pushes the command fills it in
  rte_mbuf* packet = nullptr;
  FrameReport report;
  std::uint32_t link = 0;
  std::uint16_t vlan = 0;
};

struct Note {
  enum class Kind : std::uint32_t {
    installed,     // frames of `session` are taken from now on
    confirmed,     // it is now what the link sends on
    rekey_wanted,  // a soft limit was reached
    silence,       // the far side fell silent on it, or was heard again: see its progress
    breaker,       // its link was stopped by its circuit breaker, or resumed: see its progress
    returned,      // the worker has forgotten it; `reason`
    port_gone,     // a port's device has vanished; of no session, once
  };
  Kind kind{};
  ipc::RemovalReason reason{};
  Session* session = nullptr;
};

enum class PuntKind : std::uint32_t {
  handshake,  // from where a far side is expected
  stranger,   // a handshake message from anywhere else
  neighbour,
  echo,
  probe,        // of a path, of a living session, from where its frames go
  stray_probe,  // the same from elsewhere
};
inline constexpr std::size_t punt_kinds = 6;

// A whole packet from the wire, its kind already looked at.
struct PuntedPacket {
  PuntKind kind{};
  std::uint32_t zero = 0;
  rte_mbuf* packet = nullptr;
};

// A handshake message that came inside a session.
struct HeardMessage {
  Spi spi;  // of the SA it came through, which may be gone by now
  std::uint32_t zero = 0;
  rte_mbuf* message = nullptr;
};

// What a worker sees of a far side that may have moved.
struct Trace {
  enum class Kind : std::uint32_t {
    sighting,   // `frames` came from elsewhere than the session's frames go, each the newest yet
    challenge,  // the far side wants `nonce` back
    response,   // and here it is, in a frame from `from`
  };
  Kind kind{};
  Spi spi;  // of the SA, which may be gone by now
  std::uint32_t frames = 0;
  Endpoint from;
  std::array<std::byte, challenge_nonce> nonce{};
};

// A report that is about a lane of another worker.
struct StrayReport {
  Spi spi;  // of the SA it came through, which may be gone by now
  std::uint32_t zero = 0;
  FrameReport report;
};

// Everything between the main core and one worker.
struct Mailbox {
  explicit Mailbox(unsigned worker)
      : commands("commands_" + std::to_string(worker)),
        notes("notes_" + std::to_string(worker)),
        punts("punts_" + std::to_string(worker)),
        strangers("strangers_" + std::to_string(worker)),
        probes("probes_" + std::to_string(worker)),
        heard("heard_" + std::to_string(worker)),
        traces("traces_" + std::to_string(worker)),
        reports("reports_" + std::to_string(worker)) {}

  Ring<Command, 1024> commands;
  Ring<Note, 65536> notes;
  Ring<PuntedPacket, 256> punts;
  Ring<PuntedPacket, 64> strangers;
  Ring<PuntedPacket, 64> probes;
  Ring<HeardMessage, 128> heard;
  Ring<Trace, 128> traces;
  Ring<StrayReport, 256> reports;
  Wake worker_wake;           // a command waits
  Wake* main_wake = nullptr;  // a note or a punt waits; one for all workers

  // A session has at most six notes under way, one of each kind. The main core forgets it, and
  // may make another, when it has read the last.
  static_assert(6 * SessionTable::capacity < decltype(notes)::entries);
};

}  // namespace penstock::dataplane
