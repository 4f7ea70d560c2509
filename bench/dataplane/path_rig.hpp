// One direction of one worker's path, beside the bare engine on the same frames and what the
// bench's own ports cost. One thread: the one that made it.
#pragma once

#include <x86intrin.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/dataplane/path_lab.hpp"
#include "bench/dataplane/path_ports.hpp"
#include "penstock/base/suite.hpp"

namespace penstock::bench {

enum class PathDirection : bool { encap, decap };
[[nodiscard]] constexpr const char* to_string(PathDirection direction) {
  return direction == PathDirection::encap ? "encap" : "decap";
}

// Sizes of Ethernet packets that come in turn: one, or IMIX (7:4:1 of 64, 570 and 1500).
struct PacketMix {
  std::size_t bytes = 0;  // 0: IMIX

  [[nodiscard]] std::string name() const { return bytes == 0 ? "imix" : std::to_string(bytes); }
  [[nodiscard]] std::vector<std::vector<std::byte>> make(std::size_t memory) const;
};

struct PathLoad {
  Protection protection{};
  PathDirection direction{};
  PacketMix packets;
  std::uint32_t sessions = 1;
  bool is_in_turn = false;  // the steps alone, also with one session
};

// Each measures a pass and returns the thread's seconds a frame that it took.
class PathRig {
 public:
  virtual ~PathRig() = default;
  virtual double path() = 0;
  // The bench's own part of that: the same calls of the ports, without a worker.
  virtual double ports() = 0;
  // The engine alone: the same suite, frames and batches.
  virtual double crypto() = 0;
  // Of the last pass of path().
  [[nodiscard]] double packets_a_frame() const { return packets_a_frame_; }
  [[nodiscard]] double bytes_a_frame() const { return bytes_a_frame_; }

 protected:
  double packets_a_frame_ = 0;
  double bytes_a_frame_ = 0;
};

// With one session a whole worker's turns; with several, the steps of its paths with an SA for
// each packet in turn: a worker tells no more links apart than there are VLANs.
[[nodiscard]] std::unique_ptr<PathRig> make_rig(Lab& lab, const PathLoad& load);

// --- parts of them, and of the others ----------------------------------------------------
// Full frames of these packets, of which the last ends with one: a stream that can be repeated.
struct FrameStream {
  FrameStream(const PathLoad& load, std::size_t frames);
  std::vector<std::vector<std::byte>> plaintexts;
  std::size_t packets = 0;
  std::size_t bytes = 0;
};

// The time stamp counter, for pieces too short for a clock.
[[nodiscard]] inline std::uint64_t time_stamp() { return __rdtsc(); }
[[nodiscard]] double seconds_of_cycles(std::uint64_t cycles);

// Gives the site's session the one good frame that makes it current.
void confirm(Lab& lab, Site& site, WireEnd& wire, const ipc::InstallSession& session);

}  // namespace penstock::bench
