#include "dataplane/summary.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace penstock::dataplane {
namespace {

std::string plural(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// "worker 1", "workers 1 and 2", "workers 1 to 3".
std::string workers_from(std::size_t first, std::size_t last) {
  if (first == last) return fmt::format("worker {}", first);
  return fmt::format("workers {} {} {}", first, last == first + 1 ? "and" : "to", last);
}

std::string queues_of(const QueuePlan& plan, std::size_t workers) {
  std::string text = plural(plan.queues, "queue");
  if (plan.queues < workers)
    text +=
        fmt::format(", {} {} through {}", workers_from(plan.queues, workers - 1),
                    plan.queues + 1 == workers ? "sends" : "send",
                    workers_from(0, std::min<std::size_t>(plan.queues, workers - plan.queues) - 1));
  else if (plan.is_meshed)
    text += ", packets pass from worker to worker";
  return text;
}

}  // namespace

std::string summary(const Topology& topology) {
  const std::size_t workers = topology.workers.size();
  std::vector<unsigned> cores;
  for (const WorkerPlan& worker : topology.workers)
    if (worker.core) cores.push_back(*worker.core);
  const std::string places = cores.empty() ? workers == 1 ? "floats" : "float"
                                           : fmt::format("core{} {}", cores.size() == 1 ? "" : "s",
                                                         fmt::join(cores, ", "));
  return fmt::format("{} ({}); plain: {}; wire: {}", plural(workers, "worker"), places,
                     queues_of(topology.plain_queues, workers),
                     queues_of(topology.wire_queues, workers));
}

std::vector<std::string> doubts(const SiteConfig& config, const Topology& topology,
                                unsigned cores) {
  std::vector<std::string> doubts;
  const std::size_t workers = topology.workers.size();
  if (config.idle == IdleMode::spin && workers >= cores)
    doubts.push_back(fmt::format("workers that spin take all of the {} that this process may use: "
                                 "say fewer workers, or idle = \"backoff\"",
                                 plural(cores, "core")));
  else if (workers > cores)
    doubts.push_back(fmt::format("{} share the {} that this process may use: say fewer workers, or "
                                 "widen its CPU affinity",
                                 plural(workers, "worker"), plural(cores, "core")));
  const bool has_rhythm = std::ranges::any_of(
      config.links, [](const LinkConfig& link) { return link.shape.is_paced(); });
  if (has_rhythm && topology.wire_queues.queues < workers)
    doubts.push_back(fmt::format(
        "of links with a rate, the frames of {} leave when a worker that has a wire queue runs, "
        "whose load shows in their gaps: say workers = {}, or take a wire with more queues",
        workers_from(topology.wire_queues.queues, workers - 1), topology.wire_queues.queues));
  return doubts;
}

}  // namespace penstock::dataplane
