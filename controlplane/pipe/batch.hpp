// The buffers of a thread: one batch of packets is in its hand, read into, sealed or opened in
// place and written out of. Only where a socket did not take all of it does the batch stay with
// the connection, and the thread takes another.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "penstock/base/bytes.hpp"
#include "penstock/crypto/pipe_packets.hpp"

namespace penstock::controlplane::pipe {

struct Batch {
  static constexpr std::size_t packets = 64;

  std::array<std::uint16_t, packets> lengths;  // of the texts
  alignas(64) std::array<std::byte, packets * pipe_packet::size> bytes;

  Batch() = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch();  // wipes
  // Pages of its own: the heap would keep them after many were lent.
  static void* operator new(std::size_t size);
  static void operator delete(void* at, std::size_t size) noexcept;

  [[nodiscard]] std::byte* packet(std::size_t index) {
    return bytes.data() + index * pipe_packet::size;
  }
};

// One thread's.
class BatchPool {
 public:
  // The one in the hand: what it holds is lost with the next call of anybody.
  [[nodiscard]] Batch& hand();
  // The first `bytes` of the hand hold opened text: wiped by wipe(), which is called before the
  // thread sleeps, so that it is done once for all that a turn opened.
  void holds_text(std::size_t bytes) { dirty_ = std::max(dirty_, bytes); }
  void wipe();

  // Takes the hand away from the thread with its first `kept` bytes: texts of others behind them
  // are wiped. give_back() wipes all of it.
  [[nodiscard]] std::unique_ptr<Batch> lend(std::size_t kept);
  void give_back(std::unique_ptr<Batch> batch);

 private:
  static constexpr std::size_t max_spare = 16;  // 1 MB; more is given back to the system

  std::unique_ptr<Batch> hand_;
  std::size_t dirty_ = 0;
  std::vector<std::unique_ptr<Batch>> spare_;
};

// What moves a connection's bytes: the thread's, lent for the time of a call.
struct Tools {
  PipeEngine& engine;
  BatchPool& batches;
};

// How a direction of a connection left off.
enum class Flow : std::uint8_t {
  waiting,      // for the source or the sink
  again,        // there is more to do: others are served first
  closed,       // the end of the stream was passed on
  broken_from,  // the source's error
  broken_to,    // the sink's
  bad_packet,
  cut_packet,
};
// Batches that a direction moves before others are served.
inline constexpr unsigned batches_a_turn = 4;

}  // namespace penstock::controlplane::pipe
