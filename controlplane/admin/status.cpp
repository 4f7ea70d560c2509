#include "controlplane/admin/status.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "penstock/base/bytes.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/base/suite.hpp"

#include "controlplane/admin/link_figures.hpp"
#include "controlplane/admin/seconds.hpp"

namespace penstock::controlplane {
namespace {

using nlohmann::json;

// A text in a fixed array, with or without a terminator.
template <std::size_t N>
std::string text_of(const std::array<char, N>& text) {
  return {text.begin(), std::ranges::find(text, '\0')};
}

json spi_text(std::uint32_t spi) { return fmt::format("{:#010x}", spi); }

std::string_view name_of(ipc::SessionState state) {
  switch (state) {
    case ipc::SessionState::unconfirmed:
      return "unconfirmed";
    case ipc::SessionState::current:
      return "current";
    case ipc::SessionState::retiring:
      return "retiring";
  }
  return "unknown";
}

std::string_view name_of(LinkStatus::State state) {
  switch (state) {
    case LinkStatus::State::down:
      return "down";
    case LinkStatus::State::connecting:
      return "connecting";
    case LinkStatus::State::up:
      return "up";
  }
  return "unknown";
}

// By number, those whose bit is set.
json lanes_json(std::uint64_t lanes) {
  json numbers = json::array();
  for (unsigned lane = 0; lane < limits::max_lanes; ++lane)
    if ((lanes >> lane & 1) != 0) numbers.push_back(lane);
  return numbers;
}

json session_json(const ipc::SessionInfo& session) {
  const auto suite = suite_from_code(session.suite);
  return {
      {"id", to_hex(Bytes{session.session_id}.first(8))},
      {"state", name_of(session.state)},
      {"role", session.role == ipc::Role::initiator ? "initiator" : "responder"},
      {"suite", suite ? json(to_string(*suite)) : json(nullptr)},
      {"is_protected", suite ? json(suite->protection != Protection::none) : json(nullptr)},
      {"age_s", seconds(session.age_ns)},
      {"idle_s", seconds(session.idle_ns)},
      {"local_spi", spi_text(session.local_spi_base)},
      {"remote_spi", spi_text(session.remote_spi_base)},
      {"frame_size", session.frame_size},
      {"tag", session.tag},
      {"peer", to_string(ipc::from_wire(session.peer))},
      {"is_silent", session.is_silent != 0},
      {"lanes_out", session.lanes_out},
      {"lanes_in", session.lanes_in},
      {"silent_lanes", lanes_json(session.silent_lanes)},
      {"frames_sealed", session.frames_sealed},
      {"frames_opened", session.frames_opened},
      {"failed_opens", session.failed_opens},
  };
}

template <class Name>
json named(std::size_t count, const Name& name_and_value) {
  json object = json::object();
  for (std::size_t i = 0; i < count; ++i) {
    const auto [name, value] = name_and_value(i);
    object[std::string{name}] = value;
  }
  return object;
}

// Those that are not zero: most are, and a hub has a thousand links to tell of.
template <class Name>
json nonzero(std::size_t count, const Name& name_and_value) {
  json object = json::object();
  for (std::size_t i = 0; i < count; ++i) {
    const auto [name, value] = name_and_value(i);
    if (value != 0) object[std::string{name}] = value;
  }
  return object;
}

json refusals_json(const std::array<std::uint64_t, refusal_count>& counts) {
  return nonzero(refusal_count, [&](std::size_t i) {
    return std::pair{i == 0 ? "unknown" : name_of(static_cast<Refusal>(i)), counts[i]};
  });
}

// By reason; where one side refused, by what it said.
json failures_json(const HandshakeBook& book) {
  json failures = nonzero(handshake_failures, [&](std::size_t i) {
    return std::pair{to_string(static_cast<HandshakeFailure>(i)), book.failed_by[i]};
  });
  for (const auto& [side, reasons] : {std::pair{"refused_by_far_side", &book.refused_by_far_side},
                                      std::pair{"refused_here", &book.refused_here}}) {
    json by_reason = refusals_json(*reasons);
    if (!by_reason.empty()) failures[side] = std::move(by_reason);
  }
  return failures;
}

json last_handshake_json(const HandshakeBook& book, Time now) {
  if (!book.last) return nullptr;
  const auto& [story, ended, failure, why] = *book.last;
  return {{"when_s_ago", seconds(now - ended)},
          {"cause", to_string(story.cause)},
          {"route", story.is_inside ? "inside" : "clear"},
          {"role", story.role == ipc::Role::initiator ? "initiator" : "responder"},
          {"result", failure ? to_string(*failure) : "session"},
          {"reason", why},
          {"duration_ms", seconds(ended - story.started) * 1e3},
          {"suite", story.suite ? json(to_string(*story.suite)) : json(nullptr)}};
}

std::string_view name_of(LinkStatus::Key::State state) {
  switch (state) {
    case LinkStatus::Key::State::none:
      return "none";
    case LinkStatus::Key::State::only:
      return "only";
    case LinkStatus::Key::State::new_proved:
      return "new proved, old retired";
    case LinkStatus::Key::State::old_in_use:
      return "old (the far side has not answered to the new one yet)";
  }
  return "unknown";
}

std::string_view advice(LinkStatus::Key::State state) {
  return state == LinkStatus::Key::State::new_proved ? "remove old_key_file" : "";
}

// As much of a fingerprint as operators compare.
json fingerprint_text(const crypto::KeyFingerprint& key) { return to_hex(Bytes{key}.first(8)); }

json key_json(const LinkStatus::Key& key) {
  const bool is_there = key.state != LinkStatus::Key::State::none;
  return {{"state", name_of(key.state)},
          {"advice", advice(key.state)},
          {"fingerprint", is_there ? fingerprint_text(key.newest) : json(nullptr)},
          {"old_fingerprint", key.old ? fingerprint_text(*key.old) : json(nullptr)}};
}

using Sessions = std::vector<const ipc::SessionInfo*>;

// The sessions of each link, whatever number it had when they were made. Looked up by name: there
// may be a thousand of both.
std::vector<Sessions> sessions_by_link(const SiteStatus& status) {
  std::vector<Sessions> by_link(status.links.size());
  if (!status.dataplane) return by_link;
  std::unordered_map<std::string, std::size_t> by_name;
  for (std::size_t index = 0; index < status.links.size(); ++index)
    by_name.emplace(status.links[index].peer, index);
  for (const ipc::SessionInfo& session : status.dataplane->sessions) {
    const std::string name = text_of(session.peer_name);
    const auto found = by_name.find(name);
    std::size_t index = session.link;
    if (!name.empty()) index = found == by_name.end() ? by_link.size() : found->second;
    if (index < by_link.size()) by_link[index].push_back(&session);
  }
  return by_link;
}

// Null where the data plane has none.
std::vector<const ipc::LinkStats*> figures_by_link(const SiteStatus& status) {
  std::vector<const ipc::LinkStats*> by_link(status.links.size());
  if (!status.dataplane) return by_link;
  for (const ipc::LinkStats& stats : status.dataplane->links)
    if (stats.link < by_link.size()) by_link[stats.link] = &stats;
  return by_link;
}

std::string where(const LinkStatus& link) {
  if (link.endpoint.port != 0) return to_string(link.endpoint);
  return link.endpoint_name;
}

json link_json(const LinkStatus& link, const Sessions& of_link, const ipc::LinkStats* figures,
               Time now) {
  const ipc::SessionInfo* sent_on = nullptr;
  json current = nullptr;
  json sessions = json::array();
  for (const ipc::SessionInfo* const session : of_link) {
    sessions.push_back(session_json(*session));
    if (session->state != ipc::SessionState::current) continue;
    current = sessions.back();
    sent_on = session;
  }
  return {
      {"peer", link.peer},
      {"endpoint", where(link)},
      {"endpoint_name", link.endpoint_name},
      {"state", name_of(link.state)},
      {"since_s", seconds(now - link.since)},
      {"reason", link.reason},
      {"lists_null", link.lists_null},
      {"key", key_json(link.key)},
      {"session", std::move(current)},
      {"sessions", std::move(sessions)},
      {"handshakes_completed", link.handshakes_completed},
      {"handshakes_failed", link.handshakes_failed},
      {"messages_refused", link.messages_refused},
      {"handshakes_failed_by", failures_json(link.handshakes)},
      {"messages_refused_by", nonzero(verdict_count,
                                      [&](std::size_t i) {
                                        return std::pair{to_string(static_cast<Verdict>(i)),
                                                         link.handshakes.messages_refused_by[i]};
                                      })},
      {"last_handshake", last_handshake_json(link.handshakes, now)},
      {"silences", link.silences},
      {"shaping", shaping_json(figures, sent_on, link.stop, link.steps)},
      {"queues", queues_json(figures)},
      {"path", path_json(figures)},
  };
}

// Which code seals each protection, under the protection's name.
json engine_protections_json(const ipc::HelloReply& hello) {
  return named(protections.size(), [&](std::size_t i) {
    return std::pair{protections[i].name, text_of(hello.engine_protections[i])};
  });
}

json dataplane_json(const SiteStatus& status) {
  if (!status.dataplane) {
    json down{{"state", "down"}, {"reason", status.dataplane_reason}};
    for (const char* key : {"boot_id", "uptime_s", "isa", "engine", "engine_protections", "workers",
                            "plain_device", "wire_device", "wire_endpoint"}) {
      down[key] = nullptr;
    }
    return down;
  }
  const ipc::HelloReply& hello = status.dataplane->hello;
  const ipc::Stats& stats = status.dataplane->stats;
  return {{"state", "up"},
          {"reason", ""},
          {"boot_id", to_hex(hello.boot_id)},
          {"uptime_s", seconds(stats.uptime_ns)},
          {"isa", text_of(hello.isa)},
          {"engine", text_of(hello.engine)},
          {"engine_protections", engine_protections_json(hello)},
          {"workers", stats.workers},
          {"plain_device", text_of(hello.plain_device)},
          {"wire_device", text_of(hello.wire_device)},
          {"wire_endpoint", to_string(ipc::from_wire(hello.wire))}};
}

json counters_json(const Counters& counters) {
  return named(counter_count, [&](std::size_t i) {
    return std::pair{name(static_cast<Counter>(i)), counters.values[i]};
  });
}

json gauges_json(const Counters& counters) {
  return named(gauge_count, [&](std::size_t i) {
    return std::pair{name(static_cast<Gauge>(i)), counters.gauges[i]};
  });
}

std::pair<std::string_view, std::uint64_t> drop_of(const Counters& counters, std::size_t reason) {
  return {info(static_cast<DropReason>(reason)).name, counters.drops[reason]};
}

json worker_json(const ipc::WorkerStats& stats) {
  const Counters& counters = stats.counters;
  return {
      {"worker", stats.worker},
      {"counters", counters_json(counters)},
      {"gauges", gauges_json(counters)},
      {"drops", nonzero(drop_reason_count, [&](std::size_t i) { return drop_of(counters, i); })}};
}

// Numbers of a data plane that is not there would be lies: the keys stay, with null.
void add_counters(json& result, const std::optional<DataplaneView>& dataplane) {
  for (const char* key : {"counters", "gauges", "drops", "fill", "packing", "books", "workers"})
    result[key] = nullptr;
  if (!dataplane) return;
  const Counters& counters = dataplane->stats.counters;
  result["counters"] = counters_json(counters);
  result["gauges"] = gauges_json(counters);
  result["drops"] = named(drop_reason_count, [&](std::size_t i) { return drop_of(counters, i); });
  result["packing"] = packing_json(counters);
  result["fill"] = result["packing"]["fill"];
  const std::string_view unbalanced = unbalanced_book(counters);
  result["books"] = unbalanced.empty() ? "balanced" : unbalanced;
  result["workers"] = json::array();
  for (const ipc::WorkerStats& worker : dataplane->workers)
    result["workers"].push_back(worker_json(worker));
}

}  // namespace

json to_json(const SiteStatus& status) {
  const std::vector<Sessions> sessions = sessions_by_link(status);
  const std::vector<const ipc::LinkStats*> figures = figures_by_link(status);
  json links = json::array();
  for (std::size_t index = 0; index < status.links.size(); ++index)
    links.push_back(link_json(status.links[index], sessions[index], figures[index], status.now));
  json result{
      {"site", status.site},
      {"version", PENSTOCK_VERSION},
      {"lab", status.lab},
      {"control_plane", {{"pid", ::getpid()}, {"uptime_s", seconds(status.uptime)}}},
      {"data_plane", dataplane_json(status)},
      {"links", std::move(links)},
  };
  add_counters(result, status.dataplane);
  return result;
}

}  // namespace penstock::controlplane
