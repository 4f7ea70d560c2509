#include "controlplane/cli/status_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "penstock/ipc/drop_reason.hpp"

#include "controlplane/cli/amounts.hpp"
#include "controlplane/cli/shaping_text.hpp"

namespace penstock::cli {
namespace {

using nlohmann::json;

// So long in seconds without a frame from the far side is worth a word while we send.
constexpr double silence = 15;

std::string_view text(const json& object, const char* key) {
  return object.at(key).get_ref<const std::string&>();
}

class Page {
 public:
  Page(const json& before, const json& now, bool with_colour)
      : before_(before), now_(now), with_colour_(with_colour) {}

  std::string write() {
    head();
    for (const json& link : now_.at("links")) write_link(link);
    if (is_up()) {
      traffic();
      drops();
    }
    return std::move(out_);
  }

 private:
  template <class... Values>
  void line(fmt::format_string<Values...> format, Values&&... values) {
    out_ += fmt::format(format, std::forward<Values>(values)...);
    out_ += '\n';
  }

  [[nodiscard]] const json& dataplane() const { return now_.at("data_plane"); }
  [[nodiscard]] bool is_up() const { return text(dataplane(), "state") == "up"; }

  // A state in its colour: green for up, yellow on the way there, red for down.
  [[nodiscard]] std::string state(std::string_view name) const {
    if (!with_colour_) return std::string{name};
    const int colour = name == "up" ? 32 : name == "connecting" ? 33 : 31;
    return fmt::format("\x1b[{}m{}\x1b[0m", colour, name);
  }

  void head() {
    line("site {}, penstock {}", text(now_, "site"), text(now_, "version"));
    const json& plane = dataplane();
    if (!is_up()) return line("data plane {}: {}", state("down"), text(plane, "reason"));
    const auto workers = plane.at("workers").get<unsigned>();
    line("data plane {} for {}, {} worker{}, {}, {}", state("up"),
         duration(plane.at("uptime_s").get<double>()), workers, workers == 1 ? "" : "s",
         text(plane, "isa"), text(plane, "engine"));
    for (const std::string& protection : protections_in_use())
      line("  {}: {}", protection, text(dataplane().at("engine_protections"), protection.c_str()));
  }

  // How the frames of the links' sessions are sealed.
  [[nodiscard]] std::set<std::string> protections_in_use() const {
    std::set<std::string> names;
    for (const json& link : now_.at("links")) {
      const json& session = link.at("session");
      if (session.is_null() || session.at("suite").is_null()) continue;
      const std::string_view suite = text(session, "suite");
      names.emplace(suite.substr(suite.find('-') + 1));
    }
    return names;
  }

  // What ails a link that is up: ", but ...", or nothing. A quiet link is none, unless we send.
  [[nodiscard]] std::string trouble(const json& link) const {
    if (text(link, "state") != "up") return {};
    const std::string_view reason = text(link, "reason");
    const json& session = link.at("session");
    const double idle = session.is_null() ? 0 : session.at("idle_s").get<double>();
    const bool is_silent = idle > silence && (!reason.empty() || has_sent(session));
    if (!is_silent) return reason.empty() ? std::string{} : fmt::format(", but {}", reason);
    return fmt::format(", but not heard for {}{}{}", duration(idle), reason.empty() ? "" : "; ",
                       reason);
  }

  // Whether this session sealed a frame between the two looks.
  [[nodiscard]] bool has_sent(const json& session) const {
    if (!before_.is_object()) return false;
    return std::ranges::any_of(before_.at("links"), [&](const json& link) {
      const json& then = link.at("session");
      return !then.is_null() && then.at("id") == session.at("id") &&
             then.at("frames_sealed") < session.at("frames_sealed");
    });
  }

  void write_link(const json& link) {
    const std::string_view endpoint = text(link, "endpoint");
    const std::string since = text(link, "state") == "up"
                                  ? std::string{}
                                  : " for " + duration(link.at("since_s").get<double>());
    line("\nlink to {}{}{}: {}{}{}", text(link, "peer"), endpoint.empty() ? "" : " at ", endpoint,
         state(text(link, "state")), since, trouble(link));
    shout_unless_protected(link.at("session"));
    if (link.at("lists_null") == true && !is_unprotected(link.at("session")))
      line("  the config also allows NULL, which protects nothing");
    if (text(link, "state") != "up" && !text(link, "reason").empty())
      line("  {}", text(link, "reason"));
    if (const json& session = link.at("session"); !session.is_null())
      write_session(session, endpoint);
    out_ += shaping_text(link, earlier(link));
    if (const auto silences = link.at("silences").get<std::uint64_t>(); silences > 0)
      line("  silent {} time{}", silences, silences == 1 ? "" : "s");
    write_key(link.at("key"));
    line("  handshakes {} completed, {} failed, {} messages refused",
         link.at("handshakes_completed").get<std::uint64_t>(),
         link.at("handshakes_failed").get<std::uint64_t>(),
         link.at("messages_refused").get<std::uint64_t>());
    write_counts("failed", link.at("handshakes_failed_by"));
    write_counts("refused", link.at("messages_refused_by"));
    if (const json& last = link.at("last_handshake"); !last.is_null()) write_last(last);
  }

  // The link as it was at the look before, or null.
  [[nodiscard]] json earlier(const json& link) const {
    if (!before_.is_object()) return nullptr;
    const json& then = before_.at("links");
    const auto found = std::ranges::find_if(
        then, [&](const json& one) { return one.at("peer") == link.at("peer"); });
    return found == then.end() ? json(nullptr) : *found;
  }

  void write_key(const json& key) {
    if (key.at("fingerprint").is_null()) return line("  no key");
    const std::string_view state = text(key, "state");
    const std::string_view advice = text(key, "advice");
    line("  key {}{}{}{}{}", text(key, "fingerprint"),
         state == "only" ? "" : "; in use: ", state == "only" ? "" : state,
         advice.empty() ? "" : "; ", advice);
  }

  // Those that are not zero; of counts inside counts, each.
  void write_counts(std::string_view label, const json& counts) {
    std::string list;
    add_counts(list, "", counts);
    if (!list.empty()) line("    {}: {}", label, list);
  }

  static void add_counts(std::string& list, const std::string& prefix, const json& counts) {
    for (const auto& [name, value] : counts.items()) {
      if (value.is_object()) {
        add_counts(list, prefix + name + " ", value);
      } else if (value != 0) {
        list += fmt::format("{}{}{} {}", list.empty() ? "" : ", ", prefix, name,
                            value.get<std::uint64_t>());
      }
    }
  }

  void write_last(const json& last) {
    const bool is_inside = text(last, "route") == "inside";
    line("  last handshake {} ago: {}, {}, as {}, in {:.0f} ms: {}",
         duration(last.at("when_s_ago").get<double>()), text(last, "cause"),
         is_inside ? "inside the session" : "in the clear", text(last, "role"),
         last.at("duration_ms").get<double>(),
         text(last, "result") == "session" ? text(last, "suite") : text(last, "reason"));
  }

  [[nodiscard]] static bool is_unprotected(const json& session) {
    return !session.is_null() && session.at("is_protected") == false;
  }

  void shout_unless_protected(const json& session) {
    if (!is_unprotected(session)) return;
    const std::string shout = fmt::format("!!! suite {}: NOTHING is encrypted or authenticated !!!",
                                          text(session, "suite"));
    line("  {}", with_colour_ ? fmt::format("\x1b[1;31m{}\x1b[0m", shout) : shout);
  }

  // Where there is more than one, either way.
  [[nodiscard]] static std::string lanes(const json& session) {
    const auto out = session.at("lanes_out").get<unsigned>();
    const auto in = session.at("lanes_in").get<unsigned>();
    return out == 1 && in == 1 ? std::string{} : fmt::format("; lanes {} out, {} in", out, in);
  }

  // `endpoint` is where the link's far side is looked for.
  void write_session(const json& session, std::string_view endpoint) {
    line("  session {} {}, {} for {}, last heard {:.1f} s ago", text(session, "id"),
         session.at("suite").is_null() ? "unknown suite" : text(session, "suite"),
         text(session, "role"), duration(session.at("age_s").get<double>()),
         session.at("idle_s").get<double>());
    const std::string_view peer = text(session, "peer");
    line("  SPI {} in, {} out{}; frames of {} bytes, tag {}{}{}", text(session, "local_spi"),
         text(session, "remote_spi"), lanes(session), session.at("frame_size").get<unsigned>(),
         session.at("tag").get<unsigned>(), peer == endpoint ? "" : ", to ",
         peer == endpoint ? "" : peer);
  }

  [[nodiscard]] std::uint64_t count(const char* counter) const {
    return now_.at("counters").at(counter).get<std::uint64_t>();
  }

  // How fast a counter grows, a second; 0 when there is nothing to compare with.
  [[nodiscard]] double rate(const char* counter) const {
    if (!before_.is_object() || !before_.at("counters").is_object()) return 0;
    const json& then = before_.at("data_plane");
    if (then.at("boot_id") != dataplane().at("boot_id")) return 0;
    const double seconds =
        dataplane().at("uptime_s").get<double>() - then.at("uptime_s").get<double>();
    const auto grown =
        static_cast<double>(count(counter)) - before_.at("counters").at(counter).get<double>();
    return seconds > 0 ? grown / seconds : 0;
  }

  void flow(std::string_view label, const char* packets, const char* bytes) {
    line("  {:<16} {:>9} packets {:>9}   {:>12} {:>12}", label,
         scaled(static_cast<double>(count(packets)), ""),
         scaled(static_cast<double>(count(bytes)), "B"), scaled(rate(packets), "/s"),
         scaled(rate(bytes) * 8, "bit/s"));
  }

  void traffic() {
    line("\nplain {}, wire {} at {}", text(dataplane(), "plain_device"),
         text(dataplane(), "wire_device"), text(dataplane(), "wire_endpoint"));
    flow("from plain port", "plain_received", "plain_received_bytes");
    flow("to plain port", "delivered", "delivered_bytes");
    line("  {:<16} {:>9} sent, {} opened", "frames",
         scaled(static_cast<double>(count("frames_sent")), ""),
         scaled(static_cast<double>(count("frames_opened")), ""));
    packing();
  }

  void packing() {
    const json& packing = now_.at("packing");
    const auto known = [&](const char* key, auto as_text) {
      const json& value = packing.at(key);
      return value.is_null() ? std::string{"-"} : as_text(value.template get<double>());
    };
    const std::string_view books = text(now_, "books");
    line("  {:<16} {:>9}    books {}{}", "fill", known("fill", percent),
         books == "balanced" ? "" : "do not balance: ", books);
    line("  {:<16} {:>9} packets a frame, {} padding, {} dummies", "packing",
         known("packets_a_frame", [](double value) { return fmt::format("{:.1f}", value); }),
         scaled(packing.at("padding_bytes").get<double>(), "B"),
         scaled(packing.at("dummy_frames").get<double>(), ""));
  }

  void drops() {
    bool is_first = true;
    for (std::size_t i = 0; i < drop_reason_count; ++i) {
      const DropReasonInfo& row = info(static_cast<DropReason>(i));
      const auto found = now_.at("drops").find(row.name);
      if (found == now_.at("drops").end() || *found == 0) continue;
      if (std::exchange(is_first, false)) line("\ndropped");
      line("  {:<18} {:>9}   {}", row.name, found->get<std::uint64_t>(), row.meaning);
    }
    if (is_first) line("\nnothing dropped");
  }

  const json& before_;
  const json& now_;
  bool with_colour_;
  std::string out_;
};

}  // namespace

std::string status_text(const json& before, const json& now, bool with_colour) {
  return Page{before, now, with_colour}.write();
}

}  // namespace penstock::cli
