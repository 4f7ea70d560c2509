// What an operator asks of a site by the admin socket.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/log.hpp"

#include "controlplane/shell/site.hpp"

namespace penstock::controlplane {
namespace {

std::string wiped_sessions(const Result<std::optional<std::uint32_t>>& sessions) {
  if (!sessions) return "unconfirmed";
  return *sessions ? std::to_string(**sessions) : "none";
}

}  // namespace

Result<void> Site::rekey(std::string_view peer) {
  const auto link = find(peer);
  if (link == nullptr)
    return fail(ErrorKind::missing, fmt::format("there is no link to a peer named \"{}\"", peer));
  if (is_zeroized_)
    return fail(ErrorKind::key, "every key was wiped; `penstock reload` loads them again");
  if (!dataplane_.is_up())
    return fail(ErrorKind::missing, "cannot rekey now: " + dataplane_.reason());
  link->controller.rekey(monotonic_now());
  settle();
  return {};
}

// Our own keys first: whatever the data plane does, they are gone.
void Site::zeroize(const Caller& caller, OnZeroized on_zeroized) {
  const std::string who = fmt::format("uid {} (pid {})", caller.uid, caller.pid);
  for (const auto& link : links_) link->controller.zeroize(who, monotonic_now());
  identity_.reset();
  is_zeroized_ = true;
  ++zeroizations_;
  clerk_.forget();
  settle();
  dataplane_.zeroize([this, caller, on_zeroized = std::move(on_zeroized)](
                         const Result<std::optional<std::uint32_t>>& sessions) {
    audit_.write("zeroized", fmt::format("uid={} pid={} links={} sessions={}", caller.uid,
                                         caller.pid, links_.size(), wiped_sessions(sessions)));
    if (!sessions) {
      return on_zeroized(fail(
          ErrorKind::system,
          fmt::format("penstockd's keys are wiped, but the data plane did not confirm that its "
                      "keys are ({}): kill penstock-dataplane, and they end with it",
                      sessions.error().message)));
    }
    on_zeroized(ZeroizeReport{
        .links = links_.size(), .sessions = *sessions, .pipes = config_.pipes.size()});
  });
}

// One that could not be told when the order came, or another one.
void Site::zeroize_dataplane_again() {
  dataplane_.zeroize([this](const Result<std::optional<std::uint32_t>>& sessions) {
    audit_.write("dataplane_zeroized", "sessions=" + wiped_sessions(sessions));
  });
}

void Site::restore_key(const std::string& peer, OnDone on_done) {
  clerk_.restore(peer, [this, peer, on_done = std::move(on_done),
                        since = zeroizations_](const Result<void>& restored) {
    if (!restored) return on_done(std::unexpected{restored.error()});
    audit_.write("key_restored", "peer=" + peer);
    reload_since(since, [on_done](const Result<ReloadReport>& report) {
      on_done(report ? Result<void>{} : std::unexpected{report.error()});
    });
  });
}

// --- status ---------------------------------------------------------------------------

void Site::ask_topology(std::function<void(const Result<std::string>&)> on_text) {
  dataplane_.ask_topology([on_text = std::move(on_text)](std::optional<std::string> text) {
    if (text) return on_text(*std::move(text));
    on_text(fail(ErrorKind::missing, "the data plane does not run; `penstock status` says more"));
  });
}

void Site::ask_status(std::function<void(SiteStatus)> on_status) {
  dataplane_.ask_report(
      [this, on_status = std::move(on_status)](std::optional<DataplaneReport> report) {
        on_status(status(std::move(report)));
      });
}

SiteStatus Site::status(std::optional<DataplaneReport> report) const {
  SiteStatus status{.site = config_.name,
                    .uptime = monotonic_now() - started_,
                    .lab = config_.lab,
                    .dataplane = std::nullopt,
                    .dataplane_reason = dataplane_.reason(),
                    .links = {}};
  std::vector<ipc::BreakerState> breakers(links_.size());
  if (report) {
    // There, links are told apart by their place in the config.
    const auto place_of = [this](std::uint32_t number) {
      const auto link =
          std::ranges::find_if(links_, [&](const auto& one) { return one->number == number; });
      return static_cast<std::uint32_t>(link - links_.begin());
    };
    for (ipc::SessionInfo& session : report->sessions) session.link = place_of(session.link);
    for (ipc::LinkStats& link : report->links) {
      link.link = place_of(link.link);
      if (link.link < breakers.size()) breakers[link.link] = link.breaker;
    }
    status.dataplane = DataplaneView{.hello = dataplane_.hello(),
                                     .stats = report->stats,
                                     .sessions = std::move(report->sessions),
                                     .links = std::move(report->links),
                                     .workers = std::move(report->workers)};
  }
  for (std::size_t i = 0; i < links_.size(); ++i)
    status.links.push_back(links_[i]->controller.status(breakers[i]));
  return status;
}

}  // namespace penstock::controlplane
