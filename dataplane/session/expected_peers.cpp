#include "dataplane/session/expected_peers.hpp"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <initializer_list>
#include <iterator>

#include "penstock/base/check.hpp"

namespace penstock::dataplane {
namespace {

// Multiply and fold, three times (the finalizer of MurmurHash3, with one turn more).
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t value = a ^ std::rotl(b, 32) ^ b;
  for (const std::uint64_t odd :
       {0xff51'afd7'ed55'8ccdULL, 0xc4ce'b9fe'1a85'ec53ULL, 0x9e37'79b9'7f4a'7c15ULL}) {
    value ^= value >> 33;
    value *= odd;
    value += b;
  }
  return value ^ (value >> 33);
}

}  // namespace

ExpectedPeers::ExpectedPeers() {
  check(getrandom(seed_.data(), sizeof seed_, 0) == sizeof seed_, "randomness");
}

std::uint64_t ExpectedPeers::fingerprint(const Endpoint& peer) const {
  std::array<std::uint64_t, 2> address{};
  std::memcpy(address.data(), peer.address.bytes.data(), sizeof address);
  const auto port =
      std::uint64_t{peer.port} << 8 | static_cast<std::uint64_t>(peer.address.version);
  const std::uint64_t print =
      mix(mix(address[0] ^ seed_[0], address[1] ^ seed_[1]) ^ seed_[0], port ^ seed_[1]);
  return print == 0 ? 1 : print;
}

void ExpectedPeers::set(std::vector<Endpoint> peers) {
  std::ranges::sort(peers);
  peers.erase(std::ranges::unique(peers).begin(), peers.end());
  std::vector<Endpoint> changed;
  std::ranges::set_difference(peers_, peers, std::back_inserter(changed));
  for (const Endpoint& peer : changed) remove(peer);
  changed.clear();
  std::ranges::set_difference(peers, peers_, std::back_inserter(changed));
  for (const Endpoint& peer : changed) add(peer);
  peers_ = std::move(peers);
}

void ExpectedPeers::add(const Endpoint& peer) {
  const std::uint64_t print = fingerprint(peer);
  for (std::size_t step = 0; step < window; ++step) {
    std::atomic<std::uint64_t>& entry = prints_[place(print, step)];
    if (entry.load(std::memory_order_relaxed) != 0) continue;
    entry.store(print, std::memory_order_relaxed);
    return;
  }
}

void ExpectedPeers::remove(const Endpoint& peer) {
  const std::uint64_t print = fingerprint(peer);
  for (std::size_t step = 0; step < window; ++step) {
    std::atomic<std::uint64_t>& entry = prints_[place(print, step)];
    if (entry.load(std::memory_order_relaxed) != print) continue;
    entry.store(0, std::memory_order_relaxed);
    return;
  }
}

bool ExpectedPeers::contains(const Endpoint& peer) const {
  const std::uint64_t print = fingerprint(peer);
  for (std::size_t step = 0; step < window; ++step)
    if (prints_[place(print, step)].load(std::memory_order_relaxed) == print) return true;
  return false;
}

}  // namespace penstock::dataplane
