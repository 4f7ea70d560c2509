// The invariants of a run. Every call throws the Failure that it finds.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "penstock/ipc/counters.hpp"
#include "penstock/ipc/messages.hpp"
#include "penstock/wire/frame.hpp"
#include "penstock/wire/outer.hpp"
#include "tests/simulation/failure.hpp"
#include "tests/simulation/profile.hpp"
#include "tests/simulation/rhythm.hpp"
#include "tests/simulation/traffic.hpp"

#include "dataplane/control/session_directory.hpp"

namespace penstock::simulation {

using Sessions = std::span<const std::unique_ptr<dataplane::SessionRecord>>;

class Checker {
 public:
  explicit Checker(std::uint64_t seed) : seed_(seed) {}
  void set_max_age(Time max_age) { max_age_ = max_age; }
  [[nodiscard]] Time max_age() const { return max_age_; }

  // --- plain ports ---------------------------------------------------------------------
  // The packet that a worker of the site is given now; `session`: what it sends on, or null.
  [[nodiscard]] std::vector<std::byte> send(int site, std::uint8_t flow, unsigned worker,
                                            const dataplane::SessionRecord* session);
  void delivered(int site, Bytes packet);

  // From now on until calm_ends(), what is sent on a session arrives; `in_order`: also across
  // sessions, since nothing overtakes on the wire.
  void calm_begins(bool in_order);
  void calm_ends() { is_calm_ = false; }
  [[nodiscard]] bool is_calm() const { return is_calm_; }
  // Long enough after the end: all of it has arrived, but for what a link with a rate gave up and
  // counted.
  void expect_nothing_lost();

  // --- keys and numbers ----------------------------------------------------------------
  // The controller hands these keys down.
  void installing(int site, const ipc::InstallSession& message);
  // Everything that a worker sends by the wire, in order.
  void left(int site, unsigned worker, Bytes packet, Sessions sessions, Time now);

  // --- a site after each turn --------------------------------------------------------------
  void dataplane_started(int site);
  // `counters`: of each worker; `is_quiet`: none has anything to tell the others.
  void turned(int site, std::span<const Counters> counters, Sessions sessions, bool is_quiet);

  struct Statistics {
    std::uint64_t sent = 0;
    std::uint64_t delivered = 0;
    std::uint64_t frames = 0;
    std::uint64_t handshake_messages = 0;
    std::uint64_t sessions = 0;
    std::uint64_t calm_packets = 0;
  };
  [[nodiscard]] const Statistics& statistics() const { return statistics_; }
  [[nodiscard]] std::uint64_t delivered_at(int site) const {
    return sides_[static_cast<std::size_t>(site)].delivered;
  }

 private:
  using KeyName = std::uint64_t;  // a hash of an SA's keys
  struct Numbers {
    std::uint64_t next = 0;
    std::set<std::uint64_t> passed;  // below it, but did not leave
  };
  struct Sent {
    std::uint64_t session = 0;  // which of its sender's; 0: none, so it goes nowhere
    bool is_calm = false;
    bool is_in_order = false;  // against all that was sent before
    bool is_delivered = false;
    bool may_be_next = false;  // it may go by the session behind that one
  };
  struct Flow {
    std::vector<Sent> sent;                               // by number
    std::map<std::uint64_t, std::uint64_t> last_arrived;  // by session: the highest number, + 1
    std::uint64_t highest = 0;                            // of all, + 1
    unsigned worker = 0;                                  // that is given it
  };
  // What a worker sends on.
  struct Lane {
    std::uint64_t current = 0;  // session; 0: none
    Rhythm rhythm;
    struct Waiting {
      Spi spi_base;
      KeyName key = 0;
      Time until{};
    };
    Waiting waiting;          // of the last frame's session: the one that the next tick sends
    bool was_calm = false;    // at its last frame
    bool was_steady = false;  // at the frame before: its clock had one rate
    std::uint64_t trips = 0;  // of the breaker, by then
  };
  struct Side {
    std::array<Flow, flow_count> flows;  // that it sends
    std::uint64_t delivered = 0;         // to it
    std::uint64_t newest = 0;            // session that its data plane was seen to have
    std::map<ipc::SessionId, std::vector<KeyName>> keys;  // for sealing, by lane
    std::map<ipc::SessionId, std::uint64_t> rates;        // that a lane has at most; 0: any
    std::array<Lane, most_workers> lanes;
    std::uint64_t given_up = 0;          // packets that a link with a rate had no room or time for
    std::uint64_t given_up_at_calm = 0;  // before the calm began
  };
  Side& side(int site) { return sides_[static_cast<std::size_t>(site)]; }
  void frame_left(int site, unsigned lane, const UdpDatagram& datagram, Sessions sessions,
                  Time now);
  void number_left(int site, KeyName key, const FrameHeader& header, bool may_wait);
  [[nodiscard]] bool is_last_of_ended(int site, unsigned lane, const FrameHeader& header, Time now);
  void in_rhythm(int site, unsigned lane, const UdpDatagram& datagram,
                 const dataplane::SessionRecord& session, Time now);
  void has_its_share(int site, const dataplane::LinkLane& lane, Sessions sessions);
  void saw_current(int site, unsigned worker, Sessions sessions);
  static void all_agree(int site, Sessions sessions);
  static void saw_clock(Side& side, const dataplane::SessionRecord& record);
  void saw_session(int site, const dataplane::SessionRecord& record);

  std::uint64_t seed_;
  Time max_age_{};
  std::array<Side, 2> sides_;
  bool is_calm_ = false;
  bool is_in_order_ = false;
  std::set<KeyName> installed_;
  std::map<KeyName, Numbers> numbers_;
  Statistics statistics_;
};

}  // namespace penstock::simulation
