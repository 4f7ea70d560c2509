// Workers side by side, each on a core of its own with ports of its own, against threads that only
// seal or open: on hyperthreads of one core both gain little, and neither is hidden by the other.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <rte_lcore.h>

#include "bench/common/turns.hpp"
#include "bench/dataplane/path_rates.hpp"
#include "penstock/base/check.hpp"

namespace penstock::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds slice{60};  // of one job, in which each thread makes many passes
constexpr std::size_t least_rounds = 5;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

std::vector<unsigned> allowed_cores() {
  cpu_set_t set;
  check(sched_getaffinity(0, sizeof set, &set) == 0, "a thread runs somewhere");
  std::vector<unsigned> cores;
  for (unsigned core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

void pin(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  check(pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0, "a core that is there");
}

enum class Job : std::uint8_t { path, crypto, quit };

// Threads with a rig each; some of them work at the same job at the same time.
class Crew {
 public:
  Crew(Lab& lab, const PathLoad& load, unsigned workers) : rates_(workers) {
    const auto cores = allowed_cores();
    for (unsigned index = 0; index < workers; ++index) {
      threads_.emplace_back([this, &lab, load, index, core = cores[index % cores.size()]] {
        work(lab, load, index, core);
      });
      std::unique_lock lock{mutex_};
      is_done_.wait(lock, [&] { return ready_ == index + 1; });
    }
  }
  ~Crew() {
    start(Job::quit, static_cast<unsigned>(threads_.size()));
    for (std::thread& thread : threads_) thread.join();
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // Frames a second of the first `workers` together.
  double run(Job job, unsigned workers) {
    start(job, workers);
    std::unique_lock lock{mutex_};
    is_done_.wait(lock, [&] { return busy_ == 0; });
    double sum = 0;
    for (const double rate : std::span{rates_}.first(workers)) sum += rate;
    return sum;
  }
  // Of the first, in its last run.
  [[nodiscard]] double packets_a_frame() const { return packets_a_frame_; }
  [[nodiscard]] double bytes_a_frame() const { return bytes_a_frame_; }

 private:
  void start(Job job, unsigned workers) {
    const std::scoped_lock lock{mutex_};
    job_ = job;
    busy_ = wanted_ = workers;
    ends_ = Clock::now() + slice;
    ++turn_;
    begins_.notify_all();
  }
  void work(Lab& lab, const PathLoad& load, unsigned index, unsigned core) {
    pin(core);
    check(rte_thread_register() == 0, "DPDK knows as many threads");  // and gives it a cache
    {
      const auto rig = make_rig(lab, load);
      for (std::uint64_t seen = 0; follow(*rig, index, seen);) {
      }
    }
    rte_thread_unregister();
  }
  // One job. False: it was the last.
  bool follow(PathRig& rig, unsigned index, std::uint64_t& seen) {
    std::unique_lock lock{mutex_};
    if (seen == 0) {
      ++ready_;
      is_done_.notify_all();
    }
    begins_.wait(lock, [&] { return turn_ > seen; });
    seen = turn_;
    if (index >= wanted_) return true;
    const Job job = job_;
    const auto ends = ends_;
    lock.unlock();
    if (job == Job::quit) return false;
    const double rate = run(rig, job, ends);
    lock.lock();
    rates_[index] = rate;
    if (index == 0) {
      packets_a_frame_ = rig.packets_a_frame();
      bytes_a_frame_ = rig.bytes_a_frame();
    }
    --busy_;
    is_done_.notify_all();
    return true;
  }
  static double run(PathRig& rig, Job job, Clock::time_point ends) {
    if (job == Job::crypto && rig.packets_a_frame() == 0) static_cast<void>(rig.path());
    std::vector<double> seconds;
    do {
      seconds.push_back(job == Job::path ? rig.path() - rig.ports() : rig.crypto());
    } while (Clock::now() < ends);
    return 1 / median(std::move(seconds));
  }

  std::mutex mutex_;
  std::condition_variable begins_;
  std::condition_variable is_done_;
  Job job_{};
  unsigned wanted_ = 0;
  unsigned busy_ = 0;
  unsigned ready_ = 0;
  std::uint64_t turn_ = 0;
  Clock::time_point ends_;
  std::vector<double> rates_;
  double packets_a_frame_ = 0;
  double bytes_a_frame_ = 0;
  std::vector<std::thread> threads_;
};

struct Round {
  double path_one;
  double path_all;
  double crypto_one;
  double crypto_all;
};

double median_of(const std::vector<Round>& rounds, auto of) {
  std::vector<double> values;
  for (const Round& round : rounds) values.push_back(of(round));
  return median(std::move(values));
}

std::vector<PathRow> run_workers(Lab& lab, const PathLoad& load, const std::string& name,
                                 unsigned workers, milliseconds budget) {
  Crew crew{lab, load, workers};
  static_cast<void>(crew.run(Job::path, workers));
  std::vector<Round> rounds;
  const auto ends = Clock::now() + 2 * budget;
  while (rounds.size() < least_rounds || Clock::now() < ends)
    rounds.push_back({.path_one = crew.run(Job::path, 1),
                      .path_all = crew.run(Job::path, workers),
                      .crypto_one = crew.run(Job::crypto, 1),
                      .crypto_all = crew.run(Job::crypto, workers)});
  const double one = median_of(rounds, [](const Round& r) { return r.path_one; });
  const double all = median_of(rounds, [](const Round& r) { return r.path_all; });
  const double gain = median_of(rounds, [](const Round& r) { return r.path_all / r.path_one; });
  const double bare = median_of(rounds, [](const Round& r) { return r.crypto_all / r.crypto_one; });
  const double scaling = median_of(rounds, [](const Round& r) {
    return r.path_all / r.path_one / (r.crypto_all / r.crypto_one);
  });
  std::vector<PathRow> rows;
  for (const auto& [count, rate] : {std::pair{1U, one}, {workers, all}})
    rows.push_back({.name = fmt::format("{}/{}", name, count),
                    .suite = load.protection,
                    .direction = load.direction,
                    .packets = load.packets,
                    .workers = count,
                    .sessions = count,
                    .gbit_per_s = rate * crew.bytes_a_frame() * 8 / 1e9,
                    .mpps = rate * crew.packets_a_frame() / 1e6,
                    .cycles_per_frame = cycles_per_second() * count / rate});
  rows[0].ratio_to_seal =
      median_of(rounds, [](const Round& r) { return r.path_one / r.crypto_one; });
  rows[1].ratio_to_seal =
      median_of(rounds, [](const Round& r) { return r.path_all / r.crypto_all; });
  rows[1].more = {{"path_scales", gain}, {"seal_scales", bare}};
  rows[1].goals = {{"scaling", scaling, 0.95}};
  return rows;
}

}  // namespace

void add_workers(std::vector<PathTrial>& trials, unsigned workers) {
  if (workers < 2) return;
  for (const Protection protection : {Protection::aes256_ctr_sha256, Protection::aes256_gcm})
    for (const auto direction : {PathDirection::encap, PathDirection::decap}) {
      const PathLoad load{protection, direction, {1500}};
      const std::string name =
          fmt::format("workers/{}/{}", to_string(direction), to_string(protection));
      trials.push_back({name, [=](Lab& lab, milliseconds budget) {
                          return run_workers(lab, load, name, workers, budget);
                        }});
    }
}

}  // namespace penstock::bench
