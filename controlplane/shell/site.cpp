#include "controlplane/shell/site.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/log.hpp"

namespace penstock::controlplane {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

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

Site::Site(asio::io_context& loop, LoadedSite loaded, Clerk& clerk, AuditLog audit)
    : config_(loaded.config),
      clerk_(clerk),
      audit_(std::move(audit)),
      identity_(loaded.identity),
      started_(monotonic_now()),
      slots_(entropy_),
      dataplane_(loop, config_.dataplane_socket(), *this),
      timer_(loop) {
  for (std::size_t index = 0; index < config_.links.size(); ++index)
    add_link(setup_of(loaded, index, loaded.keys[index]));
}

void Site::start() {
  if (identity_) note_identity();
  for (const auto& link : links_) note_key(*link);
  settle();  // what the links have to say about their config
  dataplane_.start();
}

// --- inputs ---------------------------------------------------------------------------

void Site::on_dataplane_up(const ipc::HelloReply& hello, std::vector<ipc::SessionInfo> living) {
  facts_ = DataplaneFacts{.boot_id = hello.boot_id,
                          .max_frame_size = hello.max_frame_size,
                          .lanes = hello.lanes,
                          .takes_offload = hello.takes_offload != 0};
  if (is_zeroized_) zeroize_dataplane_again();
  number_links_by(living);
  remove_strangers(living);
  for (const auto& link : links_) {
    std::vector<ipc::SessionInfo> of_link;
    std::ranges::copy_if(living, std::back_inserter(of_link), [&](const ipc::SessionInfo& session) {
      return session.link == link->number;
    });
    dataplane_.link_peer(link->number, link->expected, link->vlan);
    link->controller.on_dataplane_up(*facts_, std::move(of_link), monotonic_now());
  }
  settle();
}

void Site::on_dataplane_down() {
  facts_.reset();
  for (const auto& link : links_) link->controller.on_dataplane_down(monotonic_now());
  settle();
}

void Site::on_punt(const Endpoint& from, Bytes datagram) {
  const Time now = monotonic_now();
  if (!offer(from, datagram, now)) {
    for (const auto& link : links_) link->controller.on_unclaimed(from, datagram, now);
  }
  settle();
}

void Site::on_punt_inside(const ipc::SessionId& session_id, Bytes message) {
  static_cast<void>(offer(session_id, message, monotonic_now()));  // else its session is gone
  settle();
}

bool Site::offer(const Route& from, Bytes message, Time now) {
  return std::ranges::any_of(links_, [&](const std::shared_ptr<Link>& link) {
    return link->controller.on_datagram(from, message, now);
  });
}

void Site::on_event(const ipc::Event& event) {
  for (const auto& link : links_)
    if (link->number == event.link) link->controller.on_event(event, monotonic_now());
  settle();
}

void Site::on_timer() {
  for (const auto& link : links_) link->controller.on_timer(monotonic_now());
  settle();
}

// --- outputs --------------------------------------------------------------------------

void Site::settle() {
  for (const auto& link : links_) {
    for (Action& action : link->controller.take_actions()) carry_out(link, std::move(action));
  }
  arm_timer();
}

void Site::carry_out(const std::shared_ptr<Link>& link, Action action) {
  std::visit(Overloaded{
                 [&](const SendDatagram& wanted) { dataplane_.inject(wanted.to, wanted.bytes); },
                 [&](const SendInside& wanted) {
                   dataplane_.inject_inside(wanted.session_id, wanted.bytes);
                 },
                 [&](Install& wanted) { install(link, wanted); },
                 [&](const Remove& wanted) { dataplane_.remove(wanted.session_id); },
                 [](const Notice& notice) { write(notice); },
                 [&](const Resolve& wanted) { resolve(link, wanted.host); },
                 [&](const ExpectPeer& wanted) { expect(*link, wanted.peer); },
                 [&](const RetireOldKey& wanted) { write_off(*link, wanted.old_key); },
                 [&](const Audit& audit) {
                   audit_.write(audit.event,
                                fmt::format("peer={} text=\"{}\"", link->peer, audit.text));
                 },
             },
             action);
}

// The link may be gone when an answer comes.
void Site::install(const std::shared_ptr<Link>& link, Install& wanted) {
  wanted.message->link = link->number;
  dataplane_.install(
      std::move(wanted.message),
      [this, who = std::weak_ptr{link}, request = wanted.request](ipc::InstallResult result) {
        const auto asker = who.lock();
        if (asker == nullptr) return;
        asker->controller.on_install_reply(request, result, monotonic_now());
        settle();
      });
}

void Site::resolve(const std::shared_ptr<Link>& link, const std::string& host) {
  clerk_.resolve(host, config_.wire.address.address.version,
                 [this, who = std::weak_ptr{link}](const std::optional<IpAddress>& address) {
                   const auto asker = who.lock();
                   if (asker == nullptr) return;
                   asker->controller.on_resolved(address, monotonic_now());
                   settle();
                 });
}

void Site::expect(Link& link, const Endpoint& peer) {
  link.expected = peer;
  dataplane_.link_peer(link.number, link.expected, link.vlan);
}

void Site::write_off(const Link& link, const crypto::KeyFingerprint& old_key) {
  clerk_.retire(link.peer, old_key, [this, peer = link.peer, old_key](const Result<void>& done) {
    if (!done) {
      audit_.write("key_not_retired", fmt::format("peer={} key={}", peer, to_hex(old_key)));
      return log::error(fmt::format("link {}: the old key is retired until penstockd ends, and a "
                                    "restart would accept it again: {}; take old_key_file out of "
                                    "the config",
                                    peer, done.error().message));
    }
    audit_.write("key_retired", fmt::format("peer={} key={}", peer, to_hex(old_key)));
    if (const auto asker = find(peer)) asker->controller.on_old_key_retired(old_key);
  });
}

void Site::arm_timer() {
  timer_.cancel();
  std::optional<Time> next;
  for (const auto& link : links_) {
    const auto deadline = link->controller.deadline();
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  if (!next) return;
  timer_.expires_at(asio::steady_timer::time_point{*next});
  timer_.async_wait([this](const std::error_code& error) {
    if (!error) on_timer();
  });
}

}  // namespace penstock::controlplane
