// Security associations: what a worker touches for every frame. One direction, one key pair,
// one sequence space, one owner: the worker. What is rarely needed stands in Session.
#pragma once

#include <cstddef>
#include <cstdint>

#include "penstock/base/clock.hpp"
#include "penstock/crypto/frame_engine.hpp"
#include "penstock/link/packer.hpp"
#include "penstock/link/reassembler.hpp"
#include "penstock/link/replay_window.hpp"
#include "penstock/wire/frame.hpp"
#include "penstock/wire/outer.hpp"

struct rte_mbuf;

namespace penstock::dataplane {

struct Session;

// How many frames an SA may seal, and when it asks for a rekey (limits.hpp).
struct SealLimits {
  std::uint64_t rekey_frames = 0;
  std::uint64_t hard_frames = 0;
};

struct alignas(64) OutboundSa {
  OutboundSa(SaCipher keys, Spi remote_spi, SealLimits seal_limits)
      : cipher(std::move(keys)), spi(remote_spi), shape(cipher.shape()), limits(seal_limits) {}

  // Whether `frames` more may be begun without ever passing the hard limit.
  [[nodiscard]] bool may_begin(std::size_t frames) const {
    return frames_begun + frames <= limits.hard_frames;
  }

  SaCipher cipher;
  Session* session = nullptr;
  Spi spi;
  FrameShape shape;
  bool has_next_hop = false;        // the destination MAC in `outer` is known
  std::uint64_t next_sequence = 0;  // taken by outbound/seal, nowhere else
  std::uint64_t frames_begun = 0;   // numbered, or about to be: never less than next_sequence
  SealLimits limits;
  FramePacker packer;        // the plaintext of the open frame
  rte_mbuf* open = nullptr;  // the open frame, owned; null when none is
  Time opened_at{};
  OuterHeader outer;  // what stands before every frame
};
static_assert(sizeof(OutboundSa) <= 4 * 64, "an outbound SA is touched for every frame");

struct alignas(64) InboundSa {
  InboundSa(SaCipher keys, Spi local_spi, HeldBudget& budget)
      : cipher(std::move(keys)),
        spi(local_spi),
        shape(cipher.shape()),
        reassembler(budget, static_cast<std::uint64_t>(Time{limits::reorder_wait}.count())) {}

  SaCipher cipher;
  Session* session = nullptr;
  Spi spi;
  FrameShape shape;
  std::uint64_t failed_opens = 0;
  Reassembler reassembler;  // its ticks are nanoseconds
  ReplayWindow window;
};
static_assert(offsetof(InboundSa, reassembler) <= 64, "looks before crypto touch one line");
static_assert(sizeof(InboundSa) <= sizeof(ReplayWindow) + 4 * 64);

}  // namespace penstock::dataplane
