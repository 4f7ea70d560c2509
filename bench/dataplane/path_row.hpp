// A result of scripts/bench path: a line of its table, an object of its JSON list.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/dataplane/path_rig.hpp"

namespace penstock::bench {

// What a row is to reach; a cost is to stay below.
struct PathGoal {
  std::string of;
  double value = 0;
  double bound = 0;
  bool is_most = false;
  bool is_void = false;  // what it compares with was not found, so it is not met

  [[nodiscard]] bool is_met() const {
    return !is_void && (is_most ? value <= bound : value >= bound);
  }
};

// Every object has these keys, null where they say nothing, and `more` behind them.
struct PathRow {
  std::string name;
  std::optional<Protection> suite;
  std::optional<PathDirection> direction;
  std::optional<PacketMix> packets;
  std::optional<unsigned> workers;
  std::optional<unsigned> sessions;
  std::optional<double> gbit_per_s;  // of packets
  std::optional<double> mpps;        // of packets
  std::optional<double> cycles_per_frame;
  std::optional<double> ratio_to_seal;
  std::vector<std::pair<std::string, double>> more;
  std::string caveat{};  // what the figures lack; mostly empty
  std::vector<PathGoal> goals{};
};

// Prints each row as it comes, and writes all of them at the end.
class PathTable {
 public:
  void heading(const std::string& text);
  void add(const PathRow& row);
  void write(const std::filesystem::path& json) const;

 private:
  std::vector<PathRow> rows_;
};

}  // namespace penstock::bench
