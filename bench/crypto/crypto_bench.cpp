// Sealing and opening at the hardware's limit: the engine against every way of calling
// ipsec-mb bare, in the same run. One table on standard output; --benchmark_out=FILE writes the
// same as a JSON list.
//
//   seal, open/SUITE/BATCH     the engine
//   sweep/...                  every batch size
//   sas/...                    batches that mix many SAs
//   layer/...                  what each layer costs (layers.hpp)
//   frame/...                  other frame sizes
//   cap/...                    engine and bare calls with less than this CPU has
//   overlap/...                cipher and hash at the same time (overlap.hpp)
#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/common/program.hpp"
#include "contest.hpp"
#include "layers.hpp"
#include "overlap.hpp"
#include "row.hpp"
#include "trial.hpp"

namespace penstock::bench {
namespace {

constexpr std::array both_directions{Direction::seal, Direction::open};
constexpr std::array<std::uint16_t, 5> frame_sizes{256, 512, default_frame, 4096, 9000};
using RunTrial = std::function<Rows(const Trial&)>;

const char* name_of(Direction direction) { return direction == Direction::seal ? "seal" : "open"; }

// Every benchmark of the program, its engines and its results.
class Laboratory {
 public:
  Laboratory() : rig_(EngineOptions{}) {}

  void add_all() {
    add_engine();
    add_sweeps();
    add_sas();
    add_layers();
    add_frame_sizes();
    add_caps();
    add_trial({.name = "overlap", .batch = 64, .budget = 4s},
              [this](const Trial& trial) { return run_overlap(trial, rig_); });
  }

  [[nodiscard]] const Rows& rows() const { return rows_; }
  [[nodiscard]] std::string heading() const {
    std::string text = rig_.engine.plan.describe() + "\n";
    for (const ProtectionTraits& each : protections)
      text += fmt::format("{:<18} batches of {:>2}: {}\n", each.name,
                          rig_.engine.plan.preferred_batch(each.protection),
                          rig_.engine.plan.describe(each.protection));
    text +=
        "Bits and bytes are of whole frames, cycles of the time stamp counter. Ratios are speeds "
        "over speeds,\nmedians over passes that took turns: above 1, this way is the faster one.\n";
    return text;
  }

 private:
  void add_trial(Trial trial, RunTrial run) {
    benchmark::RegisterBenchmark(trial.name.c_str(),
                                 [this, trial, run = std::move(run)](benchmark::State& state) {
                                   while (state.KeepRunning()) {
                                     Rows rows = run(trial);
                                     std::ranges::move(rows, std::back_inserter(rows_));
                                   }
                                 });
  }
  void add_trial(Trial trial) {
    add_trial(std::move(trial), [this](const Trial& each) { return Rows{run_trial(each, rig_)}; });
  }

  [[nodiscard]] std::set<std::size_t> batches(Protection protection,
                                              std::set<std::size_t> others) const {
    others.insert(rig_.engine.plan.preferred_batch(protection));
    return others;
  }

  void add_engine() {
    for (const Direction direction : both_directions)
      for (const ProtectionTraits& each : protections)
        for (const std::size_t batch : batches(each.protection, {1, 4, 32}))
          add_trial({.name = fmt::format("{}/{}/{}", name_of(direction), each.name, batch),
                     .protection = each.protection,
                     .direction = direction,
                     .batch = batch,
                     .budget = 1500ms});
  }

  void add_sweep(Direction direction, Protection protection, std::size_t batch) {
    add_trial(
        {.name = fmt::format("sweep/{}/{}/{}", name_of(direction), to_string(protection), batch),
         .protection = protection,
         .direction = direction,
         .batch = batch,
         .budget = 700ms});
  }
  void add_sweeps() {
    constexpr std::array coarse{1, 2, 4, 8, 12, 16, 24, 32, 48, 64};
    for (std::size_t batch = 1; batch <= FrameEngine::max_batch; ++batch)
      add_sweep(Direction::seal, Protection::aes256_ctr_sha256, batch);
    for (const std::size_t batch : coarse)
      add_sweep(Direction::open, Protection::aes256_ctr_sha256, batch);
    for (const std::size_t batch : coarse)
      add_sweep(Direction::seal, Protection::aes256_ctr_sha384, batch);
  }

  void add_sas() {
    for (const Direction direction : both_directions)
      for (const ProtectionTraits& each : protections)
        if (each.protection != Protection::none)
          for (const std::size_t batch : batches(each.protection, {32}))
            for (const std::size_t sas : {32, 1000})
              add_trial({.name = fmt::format("sas/{}/{}/{}/{}", name_of(direction), each.name,
                                             batch, sas),
                         .protection = each.protection,
                         .direction = direction,
                         .batch = batch,
                         .sas = sas});
  }

  void add_layers() {
    for (const Direction direction : both_directions)
      for (const ProtectionTraits& each : protections)
        if (each.protection != Protection::none)
          add_trial({.name = fmt::format("layer/{}/{}", name_of(direction), each.name),
                     .protection = each.protection,
                     .direction = direction,
                     .budget = 2s},
                    [this](const Trial& trial) { return run_layers(trial, rig_); });
  }

  void add_frame_sizes() {
    for (const Direction direction : both_directions)
      for (const Protection protection :
           {Protection::aes256_ctr_sha256, Protection::aes256_gcm, Protection::chacha20_poly1305})
        for (const std::uint16_t bytes : frame_sizes)
          add_trial({.name = fmt::format("frame/{}/{}/{}", name_of(direction),
                                         to_string(protection), bytes),
                     .protection = protection,
                     .direction = direction,
                     .frame_bytes = bytes});
  }

  void add_cap(const std::string& cap, const EngineOptions& options) {
    for (const Direction direction : both_directions)
      for (const std::size_t batch : {1, 4, 8, 32})
        add_trial({.name = fmt::format("cap/{}/{}/{}", cap, name_of(direction), batch),
                   .direction = direction,
                   .batch = batch,
                   .budget = 700ms},
                  [this, cap, options](const Trial& trial) {
                    auto& rig = caps_[cap];
                    if (!rig) rig = std::make_unique<Rig>(options);
                    return Rows{run_trial(trial, *rig)};
                  });
  }
  void add_caps() {
    using Vectors = EngineOptions::Vectors;
    const Capabilities most = capabilities();
    const std::array<std::pair<const char*, Vectors>, 3> all{
        {{"sse", Vectors::sse}, {"avx2", Vectors::avx2}, {"avx512", Vectors::avx512}}};
    for (const auto& [name, vectors] : all) {
      if (vectors > most.vectors) continue;
      if (most.has_sha) add_cap(name, {.vectors = vectors});
      add_cap(fmt::format("{}-nosha", name), {.vectors = vectors, .sha_instructions = false});
    }
    add_cap("no-aes", {.aes_instructions = false, .allow_slow = true});
  }

  Rig rig_;
  std::map<std::string, std::unique_ptr<Rig>> caps_;
  Rows rows_;
};

}  // namespace
}  // namespace penstock::bench

int main(int argc, char** argv) {
  using namespace penstock::bench;
  Program program{argc, argv};
  Laboratory laboratory;
  laboratory.add_all();
  TablePrinter table{laboratory.rows(), laboratory.heading()};
  JsonWriter json{laboratory.rows()};
  return program.run(table, json);
}
