// What handshakes cost the responder, beside the Diffie-Hellman that they cannot do without, in
// the same run. One table on standard output; --benchmark_out=FILE writes the same as a JSON list.
//
//   handshake/KEX     the responder's whole part of a handshake
//   invalid/HOW       a message 1 that is dropped
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/common/program.hpp"
#include "bench/common/turns.hpp"
#include "bench/crypto/bare_dh.hpp"
#include "responder_work.hpp"
#include "row.hpp"

namespace penstock::bench {
namespace {

using namespace std::chrono_literals;

// Handshakes of a pass: some milliseconds, and few enough for the responder to remember.
constexpr std::size_t pass_of(KeyExchange kind) {
  const bool is_fast = kind == KeyExchange::x25519 || kind == KeyExchange::p256;
  return is_fast ? 64 : 8;
}

Turns::Pass pass_of(BareDh bare, std::size_t count) {
  return [bare = std::move(bare), count] {
    const double seconds = seconds_of([&] {
      for (std::size_t i = 0; i < count; ++i) bare.exchange();
    });
    return seconds / static_cast<double>(count);
  };
}

Row measure_handshakes(const std::string& name, KeyExchange kind) {
  const std::size_t count = pass_of(kind);
  Turns turns;
  const std::size_t handshake = turns.add("handshake", whole_handshakes(kind, count));
  std::vector<std::size_t> bare;
  for (BareDh& each : bare_dh(kind)) {
    const std::string way = each.name;
    bare.push_back(turns.add(way, pass_of(std::move(each), count)));
  }
  turns.run(3s);
  const std::size_t best = turns.fastest(bare);
  Row row{.name = name,
          .kex = kind,
          .seconds = turns.seconds(handshake),
          .ratio_to_bare_dh = turns.ratio(handshake, best),
          .best = turns.name(best)};
  for (const std::size_t way : bare)
    row.nanoseconds.emplace_back(turns.name(way), turns.seconds(way) * 1e9);
  return row;
}

Row measure_invalid(const std::string& name, const InvalidMessage& message) {
  Turns turns;
  const std::size_t way = turns.add(name, message.pass);
  turns.run(1s);
  return {.name = name, .seconds = turns.seconds(way)};
}

template <class Measure>
void add(Rows& rows, const std::string& name, Measure measure) {
  benchmark::RegisterBenchmark(
      name.c_str(), [&rows, name, measure = std::move(measure)](benchmark::State& state) {
        while (state.KeepRunning()) rows.push_back(measure(name));
      });
}

void add_all(Rows& rows) {
  for (const KeyExchangeTraits& exchange : key_exchanges)
    add(rows, "handshake/" + std::string{exchange.name},
        [kind = exchange.key_exchange](const std::string& name) {
          return measure_handshakes(name, kind);
        });
  for (const InvalidMessage& message : invalid_messages())
    add(rows, "invalid/" + message.name,
        [message](const std::string& name) { return measure_invalid(name, message); });
}

}  // namespace
}  // namespace penstock::bench

int main(int argc, char** argv) {
  using namespace penstock::bench;
  Program program{argc, argv};
  Rows rows;
  add_all(rows);
  TablePrinter table{rows};
  JsonWriter json{rows};
  return program.run(table, json);
}
