#include "dataplane/device/eal.hpp"

#include <linux/mman.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string_view>

#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_memory.h>

#include "penstock/base/log.hpp"

#include "dataplane/device/devargs.hpp"
#include "dataplane/device/dpdk_log.hpp"

namespace penstock::dataplane {
namespace {

std::vector<unsigned> allowed_cores() {
  std::vector<unsigned> cores;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cores;
  for (unsigned core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

std::string listed(const std::vector<unsigned>& cores) {
  std::string list;
  for (const unsigned core : cores) {
    if (!list.empty()) list += ',';
    list += std::to_string(core);
  }
  return list;
}

Result<void> check_cores(const EalOptions& options, const std::vector<unsigned>& allowed) {
  if (options.cores.empty()) return {};
  if (options.cores.size() != options.workers)
    return fail(ErrorKind::config, fmt::format("{} workers cannot be pinned to {} cores",
                                               options.workers, options.cores.size()));
  for (const unsigned core : options.cores)
    if (!std::ranges::binary_search(allowed, core))
      return fail(ErrorKind::config,
                  fmt::format("worker core {} is not one of the cores this process may use ({}): "
                              "choose among those or widen its CPU affinity",
                              core, listed(allowed)));
  return {};
}

// Free is not yet ours: a container's limit (hugetlb cgroup) shows only when pages are taken.
// DPDK, which can start once, would then not start at all; so they are taken and given back.
bool may_take(std::size_t bytes, std::size_t page) {
  const auto whole_pages = (bytes + page - 1) / page * page;
  const int huge = MAP_HUGETLB | (std::countr_zero(page) << MAP_HUGE_SHIFT);
  void* memory =
      mmap(nullptr, whole_pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | huge, -1, 0);
  if (memory == MAP_FAILED) return false;
  // EINVAL: a kernel before 5.14, which cannot tell.
  const bool taken = madvise(memory, whole_pages, MADV_POPULATE_WRITE) == 0 || errno == EINVAL;
  munmap(memory, whole_pages);
  return taken;
}

// What DPDK would find: any page size will do, as long as one size alone suffices.
bool enough_hugepages(std::size_t bytes) {
  std::error_code ignored;
  for (const auto& size :
       std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", ignored)) {
    const auto name = size.path().filename().string();
    constexpr std::string_view prefix = "hugepages-";  // then the size and "kB"
    if (!name.starts_with(prefix)) continue;
    std::size_t page_kb = 0;
    std::size_t free_pages = 0;
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), page_kb);
    std::ifstream(size.path() / "free_hugepages") >> free_pages;
    const std::size_t page = page_kb * 1024;
    if (free_pages * page >= bytes && may_take(bytes, page)) return true;
  }
  return false;
}

std::size_t total_mb(const EalOptions& options) {
  return std::accumulate(options.memory_mb.begin(), options.memory_mb.end(), std::size_t{0});
}

// "0@(0,1)" lets lcore 0 float over cores 0 and 1.
std::string lcore_map(const EalOptions& options, const std::vector<unsigned>& allowed) {
  const auto anywhere = fmt::format("({})", listed(allowed));
  auto map = "0@" + anywhere;
  for (unsigned worker = 0; worker < options.workers; ++worker)
    map += fmt::format(",{}@{}", worker + 1,
                       options.cores.empty() ? anywhere : std::to_string(options.cores[worker]));
  return map;
}

// "64" or, by NUMA node, "0,64".
std::vector<std::string> memory(const EalOptions& options, bool hugepages) {
  const auto& by_node = options.memory_mb;
  if (by_node.size() == 1 || !hugepages) return {"-m", std::to_string(total_mb(options))};
  std::string list;
  for (const std::size_t mb : by_node) list += fmt::format("{}{}", list.empty() ? "" : ",", mb);
  return {"--socket-mem", list};
}

std::vector<std::string> arguments(const EalOptions& options, bool hugepages,
                                   const std::vector<unsigned>& allowed) {
  std::vector<std::string> args{"penstock-dataplane", "--file-prefix", options.file_prefix,
                                "--no-telemetry",     "--lcores",      lcore_map(options, allowed)};
  for (auto& arg : memory(options, hugepages)) args.push_back(std::move(arg));
  if (hugepages) {
    // Memory of nobody's name, gone with the process.
    args.insert(args.end(), {"--in-memory", "--single-file-segments"});
  } else {
    args.insert(args.end(), {"--no-huge", "--no-shconf"});
  }
  if (std::ranges::none_of(options.devargs, is_pci)) args.emplace_back("--no-pci");
  for (const auto& devargs : options.devargs)
    args.insert(args.end(), {is_pci(devargs) ? "--allow" : "--vdev", devargs});
  return args;
}

int leave_out_of_core_dumps(const rte_memseg_list*, const rte_memseg* segment, std::size_t length,
                            void*) {
  return madvise(segment->addr, length, MADV_DONTDUMP);
}

int note_page(const rte_memseg_list*, const rte_memseg* segment, void* pages) {
  static_cast<std::set<std::size_t>*>(pages)->insert(segment->hugepage_sz);
  return 0;
}

int lock(const rte_memseg_list*, const rte_memseg* segment, std::size_t length, void*) {
  return mlock(segment->addr, length);
}

// Packets are in clear in this memory: it must reach neither swap nor a core file.
void protect_memory(bool hugepages) {
  if (rte_memseg_contig_walk(leave_out_of_core_dumps, nullptr) != 0)
    log::warn("packet memory cannot be left out of core dumps: turn core dumps off");
  if (!hugepages && rte_memseg_contig_walk(lock, nullptr) != 0)
    log::warn(
        "packet memory cannot be locked and may reach swap: give the data plane CAP_IPC_LOCK or a "
        "larger memlock limit, or turn swap off");
}

}  // namespace

unsigned allowed_core_count() { return static_cast<unsigned>(allowed_cores().size()); }

Result<Eal> Eal::start(const EalOptions& options) {
  const auto allowed = allowed_cores();
  if (auto fits = check_cores(options, allowed); !fits) return std::unexpected(fits.error());
  const bool hugepages = enough_hugepages(total_mb(options) << 20);

  auto args = arguments(options, hugepages, allowed);
  std::vector<char*> argv;
  for (auto& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);  // getopt's end

  capture_dpdk_log();
  if (rte_eal_init(static_cast<int>(args.size()), argv.data()) < 0) {
    const auto errors = held_dpdk_errors();
    return fail(ErrorKind::system,
                fmt::format("DPDK did not start{}: {}",
                            options.devargs.empty() ? "" : ", check the ports' ethdev devices",
                            errors.empty() ? rte_strerror(rte_errno) : errors));
  }
  release_dpdk_log();
  protect_memory(hugepages);
  std::set<std::size_t> pages;
  if (hugepages) (void)rte_memseg_walk(note_page, &pages);
  return Eal{std::move(pages), total_mb(options)};
}

Eal::~Eal() {
  if (running_) rte_eal_cleanup();
}

std::string Eal::describe() const {
  if (pages_.empty()) return fmt::format("{} MB of ordinary memory", memory_mb_);
  std::string sizes;
  for (const std::size_t page : pages_)
    sizes += fmt::format("{}{} MB", sizes.empty() ? "" : " and ", page >> 20);
  return fmt::format("{} MB of huge pages of {}", memory_mb_, sizes);
}

}  // namespace penstock::dataplane
