// What the data plane is asked for: its sessions, links, workers and counters, its topology.
#include <cstring>
#include <utility>

#include "penstock/base/limits.hpp"

#include "controlplane/shell/dataplane_client.hpp"

namespace penstock::controlplane {

template <ipc::Message Question, ipc::Message Item>
void DataplaneClient::list(std::function<void(std::vector<Item>)> on_list,
                           std::function<void()> on_lost) {
  static_assert(limits::max_links <= limits::max_sessions);
  Question question;
  auto items = std::make_shared<std::vector<Item>>();
  request(question, {.on_reply =
                         [items, on_list = std::move(on_list)](const ipc::Received& received) {
                           if (const auto* const item = received.as<Item>()) {
                             if (items->size() == limits::max_sessions) return Reply::nonsense;
                             items->push_back(*item);
                             return Reply::more_follow;
                           }
                           const auto* const end = received.as<ipc::ListEnd>();
                           if (end == nullptr || end->count != items->size())
                             return Reply::nonsense;
                           on_list(std::move(*items));
                           return Reply::last;
                         },
                     .on_lost = std::move(on_lost)});
}

void DataplaneClient::list_sessions(std::function<void(std::vector<ipc::SessionInfo>)> on_list,
                                    std::function<void()> on_lost) {
  list<ipc::ListSessions>(std::move(on_list), std::move(on_lost));
}

// The lists first: a session that appears in one was installed before the numbers were taken.
void DataplaneClient::ask_report(OnReport on_report) {
  if (!is_up()) return on_report(std::nullopt);
  const auto lost = [on_report] { on_report(std::nullopt); };
  list_sessions(
      [this, on_report, lost](std::vector<ipc::SessionInfo> sessions) {
        const auto on_links = [this, on_report,
                               sessions = std::move(sessions)](std::vector<ipc::LinkStats> links) {
          ask_workers({.sessions = sessions, .links = std::move(links)}, on_report);
        };
        list<ipc::ListLinks, ipc::LinkStats>(on_links, lost);
      },
      lost);
}

void DataplaneClient::ask_topology(std::function<void(std::optional<std::string>)> on_text) {
  if (!is_up()) return on_text(std::nullopt);
  list<ipc::GetTopology, ipc::TopologyText>(
      [on_text](const std::vector<ipc::TopologyText>& pieces) {
        std::string text;
        for (const ipc::TopologyText& piece : pieces)
          text.append(piece.text.data(), strnlen(piece.text.data(), piece.text.size()));
        on_text(std::move(text));
      },
      [on_text] { on_text(std::nullopt); });
}

void DataplaneClient::ask_workers(DataplaneReport report, const OnReport& on_report) {
  const auto shared = std::make_shared<DataplaneReport>(std::move(report));
  list<ipc::ListWorkers, ipc::WorkerStats>(
      [this, on_report, shared](std::vector<ipc::WorkerStats> workers) {
        shared->workers = std::move(workers);
        ask_stats(std::move(*shared), on_report);
      },
      [on_report] { on_report(std::nullopt); });
}

void DataplaneClient::ask_stats(DataplaneReport report, OnReport on_report) {
  ipc::GetStats message;
  const auto shared = std::make_shared<DataplaneReport>(std::move(report));
  request(message, {.on_reply =
                        [on_report, shared](const ipc::Received& received) {
                          const auto* const stats = received.as<ipc::Stats>();
                          if (stats == nullptr) return Reply::nonsense;
                          shared->stats = *stats;
                          on_report(std::move(*shared));
                          return Reply::last;
                        },
                    .on_lost = [on_report] { on_report(std::nullopt); }});
}

}  // namespace penstock::controlplane
