#include "controlplane/pipe/server.hpp"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "controlplane/pipe/acceptor.hpp"
#include "controlplane/pipe/worker.hpp"

namespace penstock::controlplane::pipe {
namespace {

unsigned usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

// Descriptors that are no connection's: of each thread two, and two of a connection that is counted
// no more and not closed yet; the rest is the process's.
std::size_t own_files(unsigned threads) { return 16 + 4 * std::size_t{threads}; }

// Raises the limit on open files. Each connection takes two: one that is accepted where there is no
// second is lost, one that waits to be accepted is not.
ConnectionLimit limit_connections(std::size_t wanted, unsigned threads) {
  const ConnectionLimit by_option{.connections = wanted, .what = "-n"};
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return by_option;
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  // Refused where the system's own limit (fs.nr_open) has become less.
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  const std::size_t own = own_files(threads);
  const std::size_t possible = (std::max<std::size_t>(limit.rlim_cur, own + 2) - own) / 2;
  if (wanted != 0 && wanted <= possible) return by_option;
  if (wanted != 0)
    log::warn(fmt::format("open files are limited to {}, enough for {} connections and not for {} "
                          "(-n): raise the limit (ulimit -Hn)",
                          limit.rlim_cur, possible, wanted));
  return {.connections = possible, .what = "by that on open files, ulimit -Hn"};
}

}  // namespace

struct Server::State {
  State(const Settings& settings_in, UniqueFd listener, const crypto::FileKey& key_in,
        const Targets& targets_in, EnginePlan plan_in, const SocketAddress& bind_from_in)
      : settings(settings_in),
        key(key_in),
        targets(targets_in),
        plan(std::move(plan_in)),
        bind_from(bind_from_in),
        acceptor(std::move(listener), workers) {}

  void report(const Connection& connection) {
    const End end = connection.end();
    ends.report(end, end == End::finished ? std::string{} : connection.describe_end(),
                monotonic_now());
    acceptor.count_end();
  }

  const Settings settings;
  const crypto::FileKey& key;
  const Targets& targets;
  const EnginePlan plan;
  const SocketAddress bind_from;
  EndLog ends;
  Acceptor::Workers workers;  // they report to the acceptor, which outlives them by ~Server
  Acceptor acceptor;
};

Server::Server(const Settings& settings, UniqueFd listener, const crypto::FileKey& key,
               const Targets& targets, const EnginePlan& plan, const SocketAddress& bind_from)
    : state_(
          std::make_unique<State>(settings, std::move(listener), key, targets, plan, bind_from)) {}

Server::~Server() {
  stop();
  state_->acceptor.join();  // hands nothing to a worker that is gone
  state_->workers.clear();
}

Result<void> Server::start() {
  std::signal(SIGPIPE, SIG_IGN);
  const unsigned wanted = state_->settings.threads;
  const unsigned threads = wanted != 0 ? wanted : usable_cores();
  const ConnectionLimit limit = limit_connections(state_->settings.max_connections, threads);
  for (unsigned i = 0; i < threads; ++i) {
    auto worker = std::make_unique<Worker>(
        state_->settings, state_->key, state_->targets,
        [state = state_.get()](const Connection& connection) { state->report(connection); });
    if (auto started = worker->start(state_->plan, state_->bind_from); !started) return started;
    state_->workers.push_back(std::move(worker));
  }
  return state_->acceptor.start(limit);
}

void Server::stop() { state_->acceptor.stop(); }

void Server::join() {
  state_->acceptor.join();
  for (const auto& worker : state_->workers) worker->join();
}

Server::Counts Server::counts() const {
  Counts counts{
      .accepted = state_->acceptor.accepted(), .living = state_->acceptor.living(), .ends = {}};
  for (std::size_t i = 0; i < end_count; ++i) {
    counts.ends[i] = state_->ends.count(static_cast<End>(i));
  }
  return counts;
}

}  // namespace penstock::controlplane::pipe
