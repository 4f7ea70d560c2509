// DPDK's environment: memory, lcores and devices, from the start of the process to its end.
// Lcore 0 is the main core and floats over the allowed cores; workers are lcores 1 to
// `workers`. DPDK's own messages become lines of our log.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "penstock/base/error.hpp"

namespace penstock::dataplane {

struct EalOptions {
  std::string file_prefix;  // one for each running site
  unsigned workers = 1;
  std::vector<unsigned> cores;       // one a worker; empty: they float over the allowed cores
  std::vector<std::string> devargs;  // devargs_of(): "--vdev" or, for a PCI address, "--allow"
  // All that pools and rings will need, by NUMA node. Without huge pages nodes are not told apart.
  std::vector<std::size_t> memory_mb = {64};
};

// How many this process may use; ask before the start, which pins the thread that asks.
[[nodiscard]] unsigned allowed_core_count();

// Hugepages where enough are free and may be used, else ordinary memory that is locked and left
// out of core dumps. At most one in a process, and a process starts it at most once (DPDK's rule).
class Eal {
 public:
  [[nodiscard]] static Result<Eal> start(const EalOptions& options);
  Eal(Eal&& other) noexcept
      : running_(std::exchange(other.running_, false)),
        pages_(std::move(other.pages_)),
        memory_mb_(other.memory_mb_) {}
  Eal& operator=(Eal&&) = delete;
  ~Eal();

  [[nodiscard]] bool hugepages() const { return !pages_.empty(); }
  // "64 MB of huge pages of 2 MB", for the log.
  [[nodiscard]] std::string describe() const;

 private:
  Eal(std::set<std::size_t> pages, std::size_t memory_mb)
      : pages_(std::move(pages)), memory_mb_(memory_mb) {}

  bool running_ = true;
  std::set<std::size_t> pages_;  // bytes of the huge pages that are in use
  std::size_t memory_mb_ = 0;
};

}  // namespace penstock::dataplane
