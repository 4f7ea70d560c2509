// Sealing and opening of 1472-byte frames in batches, beside what ipsec-mb alone costs.
// An iteration is one pass over the frame pool, which is refilled, untimed, before each.
// seal and open time a pass of the raw cipher and hash bursts right beside their own:
// `of_raw` is the speed they reach of that (1.0: nothing is lost).
#include "penstock/crypto/frame_engine.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <utility>

#include <benchmark/benchmark.h>

#include "frame_pool.hpp"
#include "penstock/base/error.hpp"
#include "penstock/base/limits.hpp"
#include "raw_ipsec_mb.hpp"

namespace penstock::bench {
namespace {

constexpr FrameShape shape{.size = 1472, .tag = limits::default_tag};
using Frames = std::span<std::byte* const>;

template <class EachBatch>
double seconds_for_a_pass(const FramePool& pool, std::size_t batch, EachBatch each_batch) {
  const auto start = std::chrono::steady_clock::now();
  for (Frames rest = pool.frames(); !rest.empty();) {
    const std::size_t taken = std::min(batch, rest.size());
    each_batch(rest.first(taken));
    rest = rest.subspan(taken);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void report(benchmark::State& state, const FramePool& pool) {
  const auto frames = static_cast<std::int64_t>(pool.frames().size());
  state.SetBytesProcessed(state.iterations() * frames * shape.size);
  state.SetItemsProcessed(state.iterations() * frames);
}

struct Bench {
  explicit Bench(benchmark::State& bench_state)
      : state(bench_state), batch(static_cast<std::size_t>(bench_state.range(0))) {}
  benchmark::State& state;
  std::size_t batch;
  FramePool received{shape};  // what each pass begins with
  FramePool pool{shape};
  FramePool raw_pool{shape};
  RawIpsecMb raw{shape};

  template <class EachBatch>
  void run_raw(EachBatch each_batch) {
    for ([[maybe_unused]] auto _ : state) {
      pool.copy_from(received);
      state.SetIterationTime(seconds_for_a_pass(pool, batch, each_batch));
    }
    report(state, pool);
  }

  template <class EachBatch>
  void run_beside_raw(EachBatch each_batch) {
    double ours = 0;
    double theirs = 0;
    for ([[maybe_unused]] auto _ : state) {
      raw_pool.copy_from(received);
      theirs += seconds_for_a_pass(raw_pool, batch, [this](Frames frames) { raw.both(frames); });
      pool.copy_from(received);
      const double seconds = seconds_for_a_pass(pool, batch, each_batch);
      ours += seconds;
      state.SetIterationTime(seconds);
    }
    report(state, pool);
    state.counters["of_raw"] = theirs / ours;
  }
};

struct Engine {
  explicit Engine(FrameEngine::Choice choice)
      : engine(must(FrameEngine::create(choice))),
        sa(engine.expand(Protection::aes256_ctr_sha256, shape, EncryptKey{}, MacKey{})) {}

  void seal(Frames frames) {
    std::array<SealJob, FrameEngine::max_batch> jobs{};
    for (std::size_t i = 0; i < frames.size(); ++i) jobs[i] = {.sa = &sa, .frame = frames[i]};
    engine.seal(std::span{jobs}.first(frames.size()));
  }
  // Stops the benchmark when a frame is refused: refusing is cheaper than opening.
  void open(Frames frames) {
    std::array<OpenJob, FrameEngine::max_batch> jobs{};
    for (std::size_t i = 0; i < frames.size(); ++i) jobs[i] = {.sa = &sa, .frame = frames[i]};
    engine.open(std::span{jobs}.first(frames.size()));
    for (std::size_t i = 0; i < frames.size(); ++i)
      if (jobs[i].plaintext.empty()) std::abort();
  }

  static FrameEngine must(Result<FrameEngine> made) {
    if (made) return std::move(*made);
    std::fprintf(stderr, "%s\n", made.error().message.c_str());
    std::exit(exit_refused);
  }

  FrameEngine engine;
  SaCipher sa;
};

void seal(benchmark::State& state, FrameEngine::Choice choice) {
  Bench bench{state};
  Engine engine{choice};
  bench.run_beside_raw([&engine](Frames frames) { engine.seal(frames); });
}

void open(benchmark::State& state, FrameEngine::Choice choice) {
  Bench bench{state};
  Engine engine{choice};
  seconds_for_a_pass(bench.received, FrameEngine::max_batch,
                     [&engine](Frames frames) { engine.seal(frames); });
  bench.run_beside_raw([&engine](Frames frames) { engine.open(frames); });
}

void raw(benchmark::State& state, void (RawIpsecMb::*pass)(Frames)) {
  Bench bench{state};
  bench.run_raw([&bench, pass](Frames frames) { (bench.raw.*pass)(frames); });
}

template <class... Arguments>
void add(const char* name, Arguments... arguments) {
  benchmark::RegisterBenchmark(name, arguments...)
      ->Arg(1)
      ->Arg(8)
      ->Arg(16)
      ->Arg(32)
      ->Arg(64)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace
}  // namespace penstock::bench

int main(int argc, char** argv) {
  using namespace penstock;
  using namespace penstock::bench;
  benchmark::AddCustomContext("engine", Engine::must(FrameEngine::create()).describe());
  add("raw/cipher", &raw, &RawIpsecMb::cipher);
  add("raw/hash", &raw, &RawIpsecMb::hash);
  add("raw/cipher_then_hash", &raw, &RawIpsecMb::both);
  add("raw/chained_jobs", &raw, &RawIpsecMb::chained);
  add("seal", &bench::seal, FrameEngine::Choice::best);
  add("open", &bench::open, FrameEngine::Choice::best);
  add("seal_sse", &bench::seal, FrameEngine::Choice::sse);
  add("open_sse", &bench::open, FrameEngine::Choice::sse);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return exit_refused;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
