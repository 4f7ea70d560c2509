// What the controller asks to be told: sessions, links, counters.
#include <fmt/format.h>

#include "dataplane/control/control_server.hpp"

namespace penstock::dataplane {
namespace {

// Which worker is busy, and which is full: kernels and rings drop what it does not take in time.
std::string figures_of(std::size_t worker, const Counters& counted) {
  return fmt::format("  counted     worker {}: {} packets received, {} frames sealed; {} frames "
                     "received, {} opened;"
                     " plain_kernel_drop {}, wire_kernel_drop {}, mesh_full {}\n",
                     worker, counted[Counter::plain_received], counted[Counter::frames_sealed],
                     counted[Counter::frames_received], counted[Counter::frames_opened],
                     counted[DropReason::plain_kernel_drop], counted[DropReason::wire_kernel_drop],
                     counted[DropReason::mesh_full]);
}

}  // namespace

bool ControlServer::list(const ipc::ListSessions& message, Time now) {
  for (const auto& record : sessions_.all()) {
    ipc::SessionInfo info = describe(*record, now);
    info.header = {.type = ipc::SessionInfo::type, .request = message.header.request};
    if (!controller_->send(info)) return false;
  }
  if (!end_list(message.header, sessions_.all().size())) return false;
  // Told once, perhaps to a controller that is gone or to none.
  for (const auto& record : sessions_.all()) {
    if (record->was_rekey_told) tell_event(ipc::EventKind::rekey_wanted, 0, *record);
    if (record->path_frame != 0)
      tell_event(ipc::EventKind::path_frame, record->path_frame, *record);
  }
  return is_greeted_;
}

bool ControlServer::list(const ipc::ListLinks& message) {
  std::vector<ipc::LinkStats> links = plane_.link_stats();
  for (ipc::LinkStats& stats : links) {
    stats.header = {.type = ipc::LinkStats::type, .request = message.header.request};
    if (!controller_->send(stats)) return false;
  }
  return end_list(message.header, links.size());
}

bool ControlServer::list(const ipc::ListWorkers& message) {
  for (std::size_t worker = 0; worker < plane_.workers(); ++worker) {
    ipc::WorkerStats stats{.worker = static_cast<std::uint32_t>(worker),
                           .counters = plane_.of_worker(worker)};
    stats.header.request = message.header.request;
    if (!controller_->send(stats)) return false;
  }
  return end_list(message.header, plane_.workers());
}

bool ControlServer::list(const ipc::GetTopology& message) {
  std::string text = setup_.topology;
  for (std::size_t worker = 0; worker < plane_.workers(); ++worker)
    text += figures_of(worker, plane_.of_worker(worker));
  std::uint32_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    ipc::TopologyText piece{
        .header = {.type = ipc::TopologyText::type, .request = message.header.request}};
    at += text.copy(piece.text.data(), piece.text.size(), at);
    if (!controller_->send(piece)) return false;
  }
  return end_list(message.header, count);
}

bool ControlServer::end_list(const ipc::Header& question, std::size_t count) {
  ipc::ListEnd end{.count = static_cast<std::uint32_t>(count)};
  end.header.request = question.request;
  return controller_->send(end);
}

bool ControlServer::report(const ipc::GetStats& message, Time now) {
  return controller_->send(
      ipc::Stats{.header = {.type = ipc::Stats::type, .request = message.header.request},
                 .uptime_ns = static_cast<std::uint64_t>((now - setup_.started).count()),
                 .workers = static_cast<std::uint32_t>(plane_.workers()),
                 .sessions = static_cast<std::uint32_t>(sessions_.all().size()),
                 .counters = plane_.total()});
}

}  // namespace penstock::dataplane
