// What a pipe costs before its first socket: its handshake, and its packets by the size of batch.
// Counters are of this thread's own time; a `ratio` compares ways that took turns in this run.
//
//   exchange         one side's Diffie-Hellman against what spiped computes with the same library
//   handshake/...    both sides together
//   seal/N, open/N   a packet of 1,060 bytes, in batches of N
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/common/turns.hpp"
#include "bench/crypto/spiped_exchange.hpp"
#include "penstock/base/check.hpp"
#include "penstock/crypto/key_exchange.hpp"
#include "penstock/crypto/pipe_packets.hpp"
#include "penstock/crypto/primitives.hpp"

#include "controlplane/pipe/handshake.hpp"

namespace penstock::bench {
namespace {

using namespace std::chrono_literals;
namespace pipe = controlplane::pipe;
using crypto::EphemeralKey;

constexpr auto group_14 = KeyExchange::modp2048;
constexpr int times = 8;  // a pass: some milliseconds

template <class Work>
Turns::Pass pass_of(Work work) {
  return [work] {
    return seconds_of([&] {
             for (int i = 0; i < times; ++i) work();
           }) /
           times;
  };
}

double microseconds(double seconds) { return seconds * 1e6; }

void exchange(benchmark::State& state) {
  const EphemeralKey peer = EphemeralKey::generate(group_14);
  for ([[maybe_unused]] auto _ : state) {
    Turns turns;
    const auto own = turns.add("own", pass_of([] { (void)EphemeralKey::generate(group_14); }));
    const auto both = turns.add("both", pass_of([&] {
                                  const EphemeralKey key = EphemeralKey::generate(group_14);
                                  check(key.agree(peer.public_value()).has_value(), "agreed");
                                }));
    const auto theirs = turns.add("theirs", pass_of([] { exchange_as_spiped(); }));
    turns.run(2s);
    state.counters["us"] = microseconds(turns.seconds(both));
    state.counters["us_of_y"] = microseconds(turns.seconds(own));
    state.counters["us_as_spiped"] = microseconds(turns.seconds(theirs));
    state.counters["ratio"] = turns.ratio(both, theirs);
  }
}
BENCHMARK(exchange)->Iterations(1);

void carry(pipe::Handshake& from, pipe::Handshake& to) {
  const Bytes sent = from.output();
  check(!to.feed(sent).has_value(), "a handshake between two of us");
  from.sent(sent.size());
}

void handshake(benchmark::State& state, bool is_forward) {
  const crypto::FileKey key = crypto::derive_file_key(as_bytes("bench"));
  controlplane::SystemEntropy entropy;
  const pipe::Secrecy secrecy{.is_forward = is_forward};
  for ([[maybe_unused]] auto _ : state) {
    pipe::Handshake client{pipe::Role::client, secrecy, key, entropy};
    pipe::Handshake server{pipe::Role::server, secrecy, key, entropy};
    carry(server, client);
    // The client's nonce and its y || h, of which a step takes one.
    const Bytes sent = client.output();
    check(!server.feed(sent.first(server.wanted())).has_value() &&
              !server.feed(sent.subspan(32)).has_value(),
          "a handshake between two of us");
    carry(server, client);
    benchmark::DoNotOptimize(client.take_keys());
    benchmark::DoNotOptimize(server.take_keys());
  }
}
BENCHMARK_CAPTURE(handshake, forward_secret, true)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(handshake, without, false)->Unit(benchmark::kMicrosecond);

PipeEngine make_engine() {
  const auto plan = EnginePlan::measure({.is_for_pipes = true});
  check(plan.has_value(), "a CPU with AES instructions");
  auto engine = PipeEngine::create(*plan);
  check(engine.has_value(), "an engine that gives the known answers");
  return std::move(*engine);
}

PipeEngine& engine() {
  static PipeEngine one = make_engine();
  return one;
}

crypto::PipeDirectionKeys random_keys() {
  crypto::PipeDirectionKeys keys;
  crypto::fill_random(keys.encrypt.fill());
  crypto::fill_random(keys.mac.fill());
  return keys;
}

void report(benchmark::State& state, std::size_t count) {
  using benchmark::Counter;
  state.counters["a_packet"] =
      Counter(static_cast<double>(count), Counter::kIsIterationInvariantRate | Counter::kInvert);
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(count * pipe_packet::text));
}

void seal(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range());
  std::vector<std::byte> packets(count * pipe_packet::size);
  const std::vector<std::uint16_t> lengths(count, pipe_packet::text);
  PipeKeys keys = engine().expand(random_keys());
  for ([[maybe_unused]] auto _ : state) engine().seal(keys, packets.data(), lengths);
  report(state, count);
}
BENCHMARK(seal)->RangeMultiplier(2)->Range(1, PipeEngine::max_batch);

// Sealing is what makes packets to open: it is not counted.
void open(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range());
  const crypto::PipeDirectionKeys random = random_keys();
  PipeKeys sealing = engine().expand(random);
  PipeKeys opening = engine().expand(random);
  std::vector<std::byte> packets(count * pipe_packet::size);
  std::vector<std::uint16_t> lengths(count, pipe_packet::text);
  for ([[maybe_unused]] auto _ : state) {
    engine().seal(sealing, packets.data(), lengths);
    const double taken = seconds_of([&] {
      check(engine().open(opening, packets.data(), lengths) == count, "packets that hold");
    });
    state.SetIterationTime(taken);
  }
  report(state, count);
}
BENCHMARK(open)->RangeMultiplier(2)->Range(1, PipeEngine::max_batch)->UseManualTime();

}  // namespace
}  // namespace penstock::bench

BENCHMARK_MAIN();
