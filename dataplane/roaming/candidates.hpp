// Addresses that the far sides of roaming sessions may have moved to. Decides when each is
// challenged, how much may be sent there, and whether the answer proves it; sends nothing itself.
// Source: docs/protocol.md, "Roaming".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "penstock/base/address.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/ipc/messages.hpp"
#include "penstock/wire/block.hpp"

namespace penstock::dataplane::roaming {

using Nonce = std::array<std::byte, challenge_nonce>;

class Candidates {
 public:
  static constexpr std::size_t capacity = limits::max_links;
  static constexpr Time life = std::chrono::seconds{5};
  static constexpr Time pause = std::chrono::milliseconds{250};  // between challenges
  static constexpr std::uint32_t amplification = 3;  // frames sent there for each that came

  // `draw` has 16 fresh random bytes.
  explicit Candidates(Nonce (*draw)()) : draw_(draw) {}

  // So many frames of the session, each the newest yet, came from there. A session has one
  // candidate: the last seen.
  void sighted(const ipc::SessionId& session, const Endpoint& from, std::uint32_t frames, Time now);
  // A frame from there had this response. True: the far side receives there, and the candidate
  // is done with.
  [[nodiscard]] bool proves(const ipc::SessionId& session, const Endpoint& from, const Nonce& nonce,
                            Time now);
  void forget(const ipc::SessionId& session);

  struct Challenge {
    ipc::SessionId session{};
    Endpoint to;
    Nonce nonce{};
  };
  // Those that are due, each one frame of what may be sent there.
  [[nodiscard]] std::vector<Challenge> take_challenges(Time now);
  // That one could not be sent.
  void give_back(const ipc::SessionId& session);
  // When there is something to take, or to forget; Time::max() if never.
  [[nodiscard]] Time deadline() const;

 private:
  struct Candidate {
    ipc::SessionId session{};
    Endpoint at;
    Nonce nonce{};
    std::uint64_t may_send = 0;  // frames
    Time challenge_at{};
    Time ends{};
  };
  Candidate* find(const ipc::SessionId& session);

  Nonce (*draw_)();
  std::vector<Candidate> all_;
};

}  // namespace penstock::dataplane::roaming
