// Packing and reassembling full frames of 1472 bytes, without crypto: what the link layer
// costs a packet, and how full the frames become.
//   items: packets    bytes: packet bytes
//   packets_per_frame, fill (packet bytes / frame bytes): what fits
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include "penstock/link/packer.hpp"
#include "penstock/link/reassembler.hpp"
#include "penstock/link/replay_window.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock::bench {
namespace {

constexpr FrameShape shape{.size = 1472, .tag = limits::default_tag};
constexpr std::size_t packet_count = 512;  // together less than a second-level cache
using Lengths = std::span<const std::size_t>;

constexpr std::array<std::size_t, 1> small = {64};
constexpr std::array<std::size_t, 1> large = {1500};
// Simple IMIX: 7 small, 4 middle, 1 large.
constexpr std::array<std::size_t, 12> imix = {64, 594, 64, 64, 594, 64, 1500, 64, 594, 64, 64, 594};

struct Packets {
  explicit Packets(Lengths lengths) {
    for (std::size_t i = 0; i < packet_count; ++i) {
      packets.emplace_back(lengths[i % lengths.size()], static_cast<std::byte>(i));
      bytes += packets.back().size();
    }
  }
  std::vector<std::vector<std::byte>> packets;
  std::size_t bytes = 0;
};

// As many plaintexts as the packets need; the last is padded.
class Frames {
 public:
  explicit Frames(const Packets& packets)
      : plaintexts_(packets.bytes / 1000 + packet_count / 20 + 1,
                    std::vector<std::byte>(shape.plaintext())) {
    pack(packets);
  }

  void pack(const Packets& packets) {
    used_ = 0;
    FramePacker packer;
    packer.begin(plaintexts_[used_++]);
    for (const auto& packet : packets.packets) {
      BlockSource block(BlockKind::ethernet, packet);
      packer.append(block);
      while (!block.is_done()) {
        packer.finish();
        packer.begin(plaintexts_[used_++]);
        packer.append(block);
      }
    }
    packer.finish();
  }

  [[nodiscard]] std::span<const std::vector<std::byte>> used() const {
    return std::span{plaintexts_}.first(used_);
  }

 private:
  std::vector<std::vector<std::byte>> plaintexts_;
  std::size_t used_ = 0;
};

struct CountingSink {
  void block(BlockKind, Bytes bytes) noexcept {
    ++blocks;
    benchmark::DoNotOptimize(bytes.data());
  }
  void release(void* frame) noexcept { benchmark::DoNotOptimize(frame); }
  void fault(ReassemblyFault) noexcept { ++faults; }
  std::size_t blocks = 0;
  std::size_t faults = 0;
};

void report(benchmark::State& state, const Packets& packets, const Frames& frames) {
  const auto frame_count = static_cast<double>(frames.used().size());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(packet_count));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(packets.bytes));
  state.counters["packets_per_frame"] = packet_count / frame_count;
  state.counters["fill"] = static_cast<double>(packets.bytes) / (frame_count * shape.size);
}

void pack(benchmark::State& state, Lengths lengths) {
  const Packets packets(lengths);
  Frames frames(packets);
  for ([[maybe_unused]] auto _ : state) {
    frames.pack(packets);
    benchmark::ClobberMemory();
  }
  report(state, packets, frames);
}

// Admits and reassembles; with `stride` 2 each pair of frames arrives swapped.
void reassemble(benchmark::State& state, Lengths lengths, std::size_t stride) {
  const Packets packets(lengths);
  const Frames frames(packets);
  const auto plaintexts = frames.used();
  HeldBudget budget{.limit = 1024};
  Reassembler reassembler(budget, 1'000'000'000);
  ReplayWindow replay;
  CountingSink sink;
  std::uint64_t base = 0;
  for ([[maybe_unused]] auto _ : state) {
    for (std::size_t i = 0; i < plaintexts.size(); ++i) {
      const std::size_t swapped = i ^ (stride - 1);
      const std::size_t at = swapped < plaintexts.size() ? swapped : i;
      if (replay.admit({base + at}) != ReplayVerdict::fresh) continue;
      reassembler.accept({base + at}, plaintexts[at], nullptr, 0, sink);
    }
    base += plaintexts.size();
  }
  const auto expected = static_cast<std::size_t>(state.iterations()) * packet_count;
  if (sink.blocks != expected || sink.faults != 0) state.SkipWithError("packets were lost");
  report(state, packets, frames);
}

BENCHMARK_CAPTURE(pack, 64, small);
BENCHMARK_CAPTURE(pack, imix, imix);
BENCHMARK_CAPTURE(pack, 1500, large);
BENCHMARK_CAPTURE(reassemble, 64, small, 1);
BENCHMARK_CAPTURE(reassemble, imix, imix, 1);
BENCHMARK_CAPTURE(reassemble, 1500, large, 1);
BENCHMARK_CAPTURE(reassemble, 64_swapped, small, 2);
BENCHMARK_CAPTURE(reassemble, 1500_swapped, large, 2);

}  // namespace
}  // namespace penstock::bench

BENCHMARK_MAIN();
