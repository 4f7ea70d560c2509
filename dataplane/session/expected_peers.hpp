// From which addresses handshake messages are expected: the far sides of links and of living
// sessions. Their messages come out of a budget of their own, so that strangers cannot use it up.
//
// One for the site. Only fingerprints are kept, keyed with a random number of this process: a
// stranger who met one by chance (2^-60) would gain a place in that budget and nothing else.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "penstock/base/address.hpp"
#include "penstock/base/limits.hpp"

namespace penstock::dataplane {

class ExpectedPeers {
 public:
  ExpectedPeers();

  // The main core: these and no others from now on, as far as there is room.
  void set(std::vector<Endpoint> peers);

  // Any thread. Looks at `window` entries, whoever asks.
  [[nodiscard]] bool contains(const Endpoint& peer) const;

 private:
  // Half as many again as links and sessions need; one whose window is full counts as a stranger.
  static constexpr std::size_t entries = std::size_t{8} * limits::max_links;
  static constexpr std::size_t window = 16;  // two cache lines
  static_assert((entries & (entries - 1)) == 0);

  [[nodiscard]] std::uint64_t fingerprint(const Endpoint& peer) const;
  [[nodiscard]] static std::size_t place(std::uint64_t print, std::size_t step) {
    return (print + step) & (entries - 1);
  }
  void add(const Endpoint& peer);
  void remove(const Endpoint& peer);

  std::array<std::uint64_t, 2> seed_{};
  std::vector<Endpoint> peers_;  // sorted; the main core's
  // Written by the main core, read by workers, each on its own; 0: empty.
  std::array<std::atomic<std::uint64_t>, entries> prints_{};
};

}  // namespace penstock::dataplane
