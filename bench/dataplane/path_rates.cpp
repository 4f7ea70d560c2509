#include "bench/dataplane/path_rates.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "bench/common/turns.hpp"

namespace penstock::bench {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::size_t, 7> all_sizes{64, 256, 512, 1024, 1500, 9000, 0};
constexpr std::array<std::size_t, 3> few_sizes{64, 512, 1500};
constexpr std::array<std::uint32_t, 3> session_counts{1, 100, 10'000};
constexpr std::size_t fills_frame = 1432;  // with its block header, all of a frame's payload

bool is_hmac(Protection protection) { return !is_aead(protection); }

std::vector<PathGoal> goals_of(const PathLoad& load, double ratio, double mpps) {
  const std::size_t bytes = load.packets.bytes;
  const bool is_ctr = load.protection == Protection::aes256_ctr_sha256;
  if (!is_ctr && load.protection != Protection::aes256_gcm) return {};
  if (bytes == 64) return {{"Mpps", mpps, is_ctr ? 12.0 : 20.0}};
  if (bytes < 512) return {};
  const double least = is_ctr ? 0.85 : bytes < 1024 ? 0.60 : 0.70;
  return {{"ratio", ratio, least}};
}

struct Ways {
  std::size_t path = 0;
  std::size_t ports = 0;
};

Ways add(Turns& turns, PathRig& rig) {
  return {.path = turns.add("path", [&rig] { return rig.path(); }),
          .ports = turns.add("ports", [&rig] { return rig.ports(); })};
}

PathRow describe(const Turns& turns, Ways ways, const PathLoad& load, const PathRig& rig) {
  const double seconds = turns.seconds_without(ways.path, ways.ports);
  return {.suite = load.protection,
          .direction = load.direction,
          .packets = load.packets,
          .workers = 1,
          .sessions = load.sessions,
          .gbit_per_s = rig.bytes_a_frame() * 8 / seconds / 1e9,
          .mpps = rig.packets_a_frame() / seconds / 1e6,
          .cycles_per_frame = seconds * cycles_per_second(),
          .more = {{"ports_cycles", turns.cycles(ways.ports)}}};
}

std::vector<PathRow> run_rate(Lab& lab, const PathLoad& load, const std::string& name,
                              milliseconds budget) {
  const auto rig = make_rig(lab, load);
  Turns turns;
  const Ways ways = add(turns, *rig);
  const std::size_t crypto = turns.add("crypto", [&rig] { return rig->crypto(); });
  turns.run(budget);
  PathRow row = describe(turns, ways, load, *rig);
  row.name = name;
  row.ratio_to_seal = turns.ratio_without(ways.path, ways.ports, crypto);
  row.more.emplace_back("crypto_cycles", turns.cycles(crypto));
  row.goals = goals_of(load, *row.ratio_to_seal, *row.mpps);
  return {row};
}

// All counts of them in one contest: what else the machine does changes each alike.
std::vector<PathRow> run_sessions(Lab& lab, PathLoad load, const std::string& name,
                                  milliseconds budget) {
  load.is_in_turn = true;
  Turns turns;
  std::vector<std::unique_ptr<PathRig>> rigs;
  std::vector<Ways> ways;
  for (const std::uint32_t count : session_counts) {
    load.sessions = count;
    rigs.push_back(make_rig(lab, load));
    ways.push_back(add(turns, *rigs.back()));
  }
  const std::size_t crypto = turns.add("crypto", [&rigs] { return rigs[0]->crypto(); });
  turns.run(budget * 2);
  std::vector<PathRow> rows;
  for (std::size_t i = 0; i < rigs.size(); ++i) {
    load.sessions = session_counts[i];
    PathRow row = describe(turns, ways[i], load, *rigs[i]);
    row.name = fmt::format("{}/{}", name, load.sessions);
    row.ratio_to_seal = turns.ratio_without(ways[i].path, ways[i].ports, crypto);
    if (i > 0) {
      const double cost =
          turns.cost_without({ways[0].path, ways[0].ports}, {ways[i].path, ways[i].ports});
      row.more.emplace_back("cost_to_one", cost);
      const double most = is_hmac(load.protection) ? 1.25 : 1.70;
      if (load.sessions == session_counts.back()) row.goals = {{"cost", cost, most, true}};
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

void add_rates(std::vector<PathTrial>& trials) {
  for (const ProtectionTraits& suite : protections) {
    if (suite.protection == Protection::none) continue;
    const bool is_main = suite.protection == Protection::aes256_ctr_sha256 ||
                         suite.protection == Protection::aes256_gcm;
    for (const auto direction : {PathDirection::encap, PathDirection::decap})
      for (const std::size_t bytes :
           is_main ? std::span<const std::size_t>{all_sizes} : few_sizes) {
        const PathLoad load{suite.protection, direction, {bytes}};
        const std::string name =
            fmt::format("{}/{}/{}", to_string(direction), suite.name, load.packets.name());
        trials.push_back({name, [load, name](Lab& lab, milliseconds budget) {
                            return run_rate(lab, load, name, budget);
                          }});
      }
  }
}

void add_sessions(std::vector<PathTrial>& trials) {
  for (const Protection protection : {Protection::aes256_ctr_sha256, Protection::aes128_ctr_sha256,
                                      Protection::aes256_ctr_sha384, Protection::aes256_gcm})
    for (const auto direction : {PathDirection::encap, PathDirection::decap}) {
      const PathLoad load{protection, direction, {fills_frame}};
      const std::string name =
          fmt::format("sessions/{}/{}", to_string(direction), to_string(protection));
      trials.push_back({name, [load, name](Lab& lab, milliseconds budget) {
                          return run_sessions(lab, load, name, budget);
                        }});
    }
}

}  // namespace penstock::bench
