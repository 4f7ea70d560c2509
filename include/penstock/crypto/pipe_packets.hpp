// Sealing and opening the packets of a pipe, spiped's, in place and in batches: packets of one
// direction stand one behind the other, so that a batch is one read or one write.
//
//   packet   ciphertext of (text, zeros up to 1024 bytes, be32 length) || HMAC-SHA256(H,
//            ciphertext || be64 number): 1060 bytes, length 1 to 1024
//   cipher   AES256-CTR, counter block = be64 number || be64 block counter from 0
//   numbers  from 0, each direction its own
//
// Source: spiped's design document; SP 800-38A, RFC 2104; docs/protocol.md section "Pipes".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "penstock/base/bytes.hpp"
#include "penstock/base/error.hpp"
#include "penstock/crypto/engine_plan.hpp"
#include "penstock/crypto/pipe_keys.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock {

namespace pipe_packet {
inline constexpr std::size_t text = 1024;        // bytes of text at most
inline constexpr std::size_t ciphertext = 1028;  // with the length
inline constexpr std::size_t size = 1060;
}  // namespace pipe_packet

// One direction's keys as the engine computes with them, in secret memory, and the number of
// its next packet: numbers are taken by seal and open, and by nothing else, and only go up.
// What was moved from seals and opens nothing: a programmer's error. Nothing is moved over keys:
// swapping would leave the old ones behind with the other's number, which theirs may have passed.
class PipeKeys {
 public:
  PipeKeys(PipeKeys&&) noexcept = default;
  ~PipeKeys() = default;

  [[nodiscard]] std::uint64_t next() const { return next_; }

 private:
  friend class PipeEngine;
  // No pipe lives so long: at a terabit a second it would take 2,000 years.
  static constexpr std::uint64_t end = std::uint64_t{1} << 63;

  explicit PipeKeys(std::size_t size) : expanded_(size) {}
  // Keys that a packet did not hold under are gone.
  void spend() noexcept;

  SecretBuffer expanded_;  // laid out as the engine's way wants it
  std::uint64_t next_ = 0;
};

// One a thread; owns the library's managers and all scratch. Where the plan is slow (no AES
// instructions, EngineOptions::allow_slow), OpenSSL does everything.
class PipeEngine {
 public:
  static constexpr std::size_t max_batch = penstock::max_batch;

  // Fails where the chosen code does not give the known answers.
  [[nodiscard]] static Result<PipeEngine> create(const EnginePlan& plan);
  PipeEngine(PipeEngine&&) noexcept;
  PipeEngine& operator=(PipeEngine&&) noexcept;
  ~PipeEngine();

  // Good for every engine of the same plan. Never twice from the same keys for sealing: the
  // numbers start at 0.
  [[nodiscard]] PipeKeys expand(const crypto::PipeDirectionKeys& keys) const;

  // `packets` holds lengths.size() packets of pipe_packet::size, at most max_batch, with
  // lengths[i] (1 to 1024) bytes of text at the start of each; seal pads, encrypts, MACs.
  void seal(PipeKeys& keys, std::byte* packets, std::span<const std::uint16_t> lengths) noexcept;
  // Opens lengths.size() packets, in order. Returns how many hold before the first that does
  // not (a wrong MAC, or a length that is 0 or above 1024): those have lengths[i] bytes of text
  // at their start. What stands behind is wiped, and the keys open nothing any more.
  [[nodiscard]] std::size_t open(PipeKeys& keys, std::byte* packets,
                                 std::span<std::uint16_t> lengths) noexcept;

 private:
  struct State;
  explicit PipeEngine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace penstock
