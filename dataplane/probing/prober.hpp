// Path probes of all links, on the main core: asks, answers, and says what was found. What is known
// of a link's path outlives its sessions; the keys are each session's own.
// Source: docs/protocol.md, "Path probes".
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "penstock/base/address.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/ipc/messages.hpp"
#include "penstock/link/path_mtu.hpp"
#include "penstock/wire/path_probe.hpp"

#include "dataplane/control/session_directory.hpp"

namespace penstock::dataplane::probing {

// What the prober wants done.
class ProbeSink {
 public:
  virtual ~ProbeSink() = default;
  // A UDP payload.
  virtual void send_probe(const Endpoint& to, Bytes packet) = 0;
  // So large are the frames that pass on the way that this session's take.
  virtual void path_found(SessionRecord& record, std::uint16_t frame_size) = 0;
};

class Prober {
 public:
  // `most`: what the wire port sends. `draw` has a random number.
  Prober(std::uint16_t most, std::uint64_t (*draw)(), SessionDirectory& sessions, ProbeSink& sink)
      : most_(most), draw_(draw), sessions_(sessions), sink_(sink) {}

  // The session is what its link sends on from now on.
  void confirmed(const SessionRecord& record, Time now);
  // A UDP payload that claims to be a probe or an answer; what is neither is counted in bad().
  void on_packet(Bytes packet, Time now);

  void on_timer(Time now);
  // When there is something to send or to give up; Time::max() if never.
  [[nodiscard]] Time deadline() const { return due_; }

  [[nodiscard]] std::uint64_t bad() const { return bad_; }
  // Whether the link's path is or was probed; its part of the figures.
  [[nodiscard]] bool fill(std::uint32_t link, ipc::LinkStats& stats) const;
  [[nodiscard]] std::vector<std::uint32_t> links() const;

 private:
  struct Link {
    ipc::SiteName peer{};  // whose path it is
    PathMtu path;
    ipc::SessionId session{};  // by which it is probed
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
  };
  // The text of a packet that the session's far side sealed, and that came once; empty: none.
  [[nodiscard]] static Bytes open(ProbeSas& sas, MutableBytes packet);
  [[nodiscard]] bool hear(MutableBytes packet, Time now);
  void ask(Link& link, Time now);
  void hear_answer(SessionRecord& record, const PathProbe& answer, Time now);
  void send(const SessionRecord& record, std::uint16_t size, const PathProbe& probe);
  void tell(Link& link);
  void find_deadline();

  std::uint16_t most_;
  std::uint64_t (*draw_)();
  SessionDirectory& sessions_;
  ProbeSink& sink_;
  std::map<std::uint32_t, Link> links_;
  Time due_ = Time::max();  // never later than the first of all links
  std::uint64_t bad_ = 0;
  std::array<std::byte, limits::max_frame_size> room_{};  // of the packet that is looked at
};

}  // namespace penstock::dataplane::probing
