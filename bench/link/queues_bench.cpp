// The queues of a link with a rate: what a packet costs that waits in them, and what memory they
// take.
//   queue: items: packets    bytes: packet bytes; in bursts of 64, as a worker receives them
//   memory: kB_a_link: resident, of a link of 1 Gbit/s whose packets may wait 50 ms
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <vector>

#include <benchmark/benchmark.h>

#include "penstock/link/packet_queues.hpp"

namespace penstock::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t bound = 1'000'000'000 / 8 / 20;
constexpr std::size_t burst = 64;
constexpr std::array<PacketClass, packet_classes> classes = {
    PacketClass::voice, PacketClass::video, PacketClass::normal, PacketClass::bulk};

bool push(PacketQueues& queues, PacketClass of, Bytes packet, Time now) {
  const std::array<Bytes, 1> pieces = {packet};
  return queues.push(of, BlockKind::ethernet, pieces, now);
}

void queue(benchmark::State& state) {
  const std::vector<std::byte> packet(static_cast<std::size_t>(state.range(0)));
  PacketQueues queues{{.bytes = bound}};
  Time now = 1s;
  for ([[maybe_unused]] auto _ : state) {
    for (std::size_t i = 0; i < burst; ++i)
      benchmark::DoNotOptimize(push(queues, classes[i % packet_classes], packet, now));
    while (const QueuedBlock* next = queues.next(now)) {
      benchmark::DoNotOptimize(next->bytes.data());
      queues.pop(now);
      now += 100ns;
    }
  }
  const auto done = state.iterations() * static_cast<std::int64_t>(burst);
  state.SetItemsProcessed(done);
  state.SetBytesProcessed(done * state.range(0));
}

// What a status asks of one class.
void percentiles(benchmark::State& state) {
  DelayHistogram histogram;
  for (int i = 0; i < 100'000; ++i) histogram.record(i * 500ns, 1s);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(histogram.percentiles(2s));
}

std::size_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::size_t size = 0;
  std::size_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// Fills these classes to the bound, and sends as much as goes through every ring at least once.
void overload(PacketQueues& queues, std::span<const PacketClass> of, Bytes packet) {
  for (std::size_t sent = 0; sent < 16 * bound; sent += packet.size()) {
    for (const PacketClass one : of) benchmark::DoNotOptimize(push(queues, one, packet, 1s));
    if (queues.bytes() < bound / 2) continue;
    benchmark::DoNotOptimize(queues.next(1s));
    queues.pop(1s);
  }
}

// Never more than `burst` packets wait.
void trickle(PacketQueues& queues, Bytes packet) {
  for (unsigned i = 0; i < 1000; ++i) {
    for (std::size_t n = 0; n < burst; ++n)
      benchmark::DoNotOptimize(push(queues, PacketClass::normal, packet, 1s));
    while (queues.next(1s) != nullptr) queues.pop(1s);
  }
}

void memory(benchmark::State& state, void (*drive)(PacketQueues&, Bytes)) {
  constexpr std::size_t links = 8;
  const std::vector<std::byte> packet(1500);
  double resident = 0;
  for ([[maybe_unused]] auto _ : state) {
    const std::size_t before = resident_bytes();
    std::vector<std::unique_ptr<PacketQueues>> all;
    for (std::size_t i = 0; i < links; ++i) {
      all.push_back(std::make_unique<PacketQueues>(PacketQueues::Setup{.bytes = bound}));
      drive(*all.back(), packet);
    }
    resident = static_cast<double>(resident_bytes() - before) / links / 1000;
  }
  state.counters["kB_a_link"] = resident;
}

BENCHMARK(queue)->Arg(64)->Arg(570)->Arg(1500);
BENCHMARK(percentiles);
BENCHMARK_CAPTURE(memory, idle, [](PacketQueues&, Bytes) {})->Iterations(1);
BENCHMARK_CAPTURE(memory, bursts_of_64, trickle)->Iterations(1);
BENCHMARK_CAPTURE(memory, one_class_full, [](PacketQueues& queues, Bytes packet) {
  overload(queues, std::array{PacketClass::normal}, packet);
})->Iterations(1);
BENCHMARK_CAPTURE(memory, all_classes_full, [](PacketQueues& queues, Bytes packet) {
  overload(queues, classes, packet);
})->Iterations(1);

}  // namespace
}  // namespace penstock::bench
