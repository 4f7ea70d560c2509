#include "controlplane/shell/site.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/check.hpp"
#include "penstock/base/log.hpp"

namespace penstock::controlplane {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

std::vector<LinkController> make_links(const SiteConfig& config,
                                       std::vector<crypto::FileKey> file_keys,
                                       const std::shared_ptr<const crypto::IdentityKey>& identity,
                                       SlotAllocator& slots, Entropy& entropy) {
  check(file_keys.size() == config.links.size(), "one key for each link");
  const Time now = monotonic_now();
  std::vector<LinkController> links;
  for (std::uint32_t index = 0; index < config.links.size(); ++index) {
    links.emplace_back(LinkController::Setup{.site_name = config.name,
                                             .link_index = index,
                                             .config = config.links[index],
                                             .file_key = std::move(file_keys[index]),
                                             .old_file_key = std::nullopt,
                                             .identity = identity},
                       slots, entropy, now);
  }
  return links;
}

void write(const Notice& notice) {
  switch (notice.kind) {
    case Notice::Kind::info:
      return log::info(notice.text);
    case Notice::Kind::warning:
      return log::warn(notice.text);
    case Notice::Kind::error:
      return log::error(notice.text);
  }
}

}  // namespace

Site::Site(asio::io_context& loop, const SiteConfig& config, std::vector<crypto::FileKey> file_keys,
           std::shared_ptr<const crypto::IdentityKey> identity)
    : name_(config.name),
      is_lab_(config.lab),
      started_(monotonic_now()),
      slots_(entropy_),
      links_(make_links(config, std::move(file_keys), identity, slots_, entropy_)),
      dataplane_(loop, config.dataplane_socket(), *this),
      timer_(loop) {}

// --- inputs ---------------------------------------------------------------------------

void Site::on_dataplane_up(const ipc::HelloReply& hello, std::vector<ipc::SessionInfo> living) {
  const DataplaneFacts facts{.boot_id = hello.boot_id,
                             .max_frame_size = hello.max_frame_size,
                             .lanes = hello.lanes,
                             .takes_offload = hello.takes_offload != 0};
  for (std::uint32_t index = 0; index < links_.size(); ++index) {
    std::vector<ipc::SessionInfo> of_link;
    std::ranges::copy_if(living, std::back_inserter(of_link),
                         [&](const ipc::SessionInfo& session) { return session.link == index; });
    links_[index].on_dataplane_up(facts, std::move(of_link), monotonic_now());
  }
  settle();
}

void Site::on_dataplane_down() {
  for (LinkController& link : links_) link.on_dataplane_down(monotonic_now());
  settle();
}

void Site::on_punt(const Endpoint& from, Bytes datagram) {
  const Time now = monotonic_now();
  if (!offer(from, datagram, now)) {
    for (LinkController& link : links_) link.on_unclaimed(from, datagram, now);
  }
  settle();
}

void Site::on_punt_inside(const ipc::SessionId& session_id, Bytes message) {
  static_cast<void>(offer(session_id, message, monotonic_now()));  // else its session is gone
  settle();
}

bool Site::offer(const Route& from, Bytes message, Time now) {
  return std::ranges::any_of(
      links_, [&](LinkController& link) { return link.on_datagram(from, message, now); });
}

void Site::on_event(const ipc::Event& event) {
  if (event.link < links_.size()) links_[event.link].on_event(event, monotonic_now());
  settle();
}

void Site::on_timer() {
  for (LinkController& link : links_) link.on_timer(monotonic_now());
  settle();
}

Result<void> Site::rekey(std::string_view peer) {
  const auto link = std::ranges::find_if(
      links_, [&](const LinkController& candidate) { return candidate.status().peer == peer; });
  if (link == links_.end()) {
    return fail(ErrorKind::missing, fmt::format("there is no link to a peer named \"{}\"", peer));
  }
  if (!dataplane_.is_up()) {
    return fail(ErrorKind::missing, "cannot rekey now: " + dataplane_.reason());
  }
  link->rekey(monotonic_now());
  settle();
  return {};
}

// --- outputs --------------------------------------------------------------------------

void Site::settle() {
  for (std::size_t index = 0; index < links_.size(); ++index) {
    for (Action& action : links_[index].take_actions()) carry_out(index, std::move(action));
  }
  arm_timer();
}

void Site::carry_out(std::size_t link, Action action) {
  const auto install = [&](Install& wanted) {
    dataplane_.install(std::move(wanted.message),
                       [this, link, request = wanted.request](ipc::InstallResult result) {
                         links_[link].on_install_reply(request, result, monotonic_now());
                         settle();
                       });
  };
  std::visit(Overloaded{
                 [&](const SendDatagram& wanted) { dataplane_.inject(wanted.to, wanted.bytes); },
                 [&](const SendInside& wanted) {
                   dataplane_.inject_inside(wanted.session_id, wanted.bytes);
                 },
                 install,
                 [&](const Remove& wanted) { dataplane_.remove(wanted.session_id); },
                 [](const Notice& notice) { write(notice); },
                 [](const Resolve&) {},
                 [](const ExpectPeer&) {},
                 [](const RetireOldKey&) {},
                 [](const Audit& audit) {
                   log::info(fmt::format("audit: {}: {}", audit.event, audit.text));
                 },
             },
             action);
}

void Site::arm_timer() {
  timer_.cancel();
  std::optional<Time> next;
  for (const LinkController& link : links_) {
    const auto deadline = link.deadline();
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  if (!next) return;
  timer_.expires_at(asio::steady_timer::time_point{*next});
  timer_.async_wait([this](const std::error_code& error) {
    if (!error) on_timer();
  });
}

// --- status ---------------------------------------------------------------------------

void Site::ask_status(std::function<void(SiteStatus)> on_status) {
  dataplane_.ask_report(
      [this, on_status = std::move(on_status)](std::optional<DataplaneReport> report) {
        on_status(status(std::move(report)));
      });
}

SiteStatus Site::status(std::optional<DataplaneReport> report) const {
  SiteStatus status{.site = name_,
                    .uptime = monotonic_now() - started_,
                    .lab = is_lab_,
                    .dataplane = std::nullopt,
                    .dataplane_reason = dataplane_.reason(),
                    .links = {}};
  if (report) {
    status.dataplane = DataplaneView{.hello = dataplane_.hello(),
                                     .stats = report->stats,
                                     .sessions = std::move(report->sessions)};
  }
  for (const LinkController& link : links_) status.links.push_back(link.status());
  return status;
}

}  // namespace penstock::controlplane
