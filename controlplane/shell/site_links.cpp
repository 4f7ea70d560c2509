// Which links a site has: those of its config, which may be read again while it runs, under the
// numbers by which the data plane knows them.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/log.hpp"

#include "controlplane/shell/config_changes.hpp"
#include "controlplane/shell/link_numbers.hpp"
#include "controlplane/shell/site.hpp"

namespace penstock::controlplane {
namespace {

constexpr std::string_view wiped = "every key was wiped; `penstock reload` loads them again";

crypto::FileKey copy_of(const crypto::FileKey& key) { return crypto::FileKey{key.reveal()}; }

}  // namespace

std::shared_ptr<Site::Link> Site::find(std::string_view peer) const {
  const auto found = std::ranges::find_if(
      links_, [&](const std::shared_ptr<Link>& link) { return link->peer == peer; });
  return found == links_.end() ? nullptr : *found;
}

LinkController::Setup Site::setup_of(const LoadedSite& loaded, std::size_t index,
                                     const LinkSecrets& secrets) const {
  LinkController::Setup setup{.site_name = config_.name,
                              .config = loaded.config.links[index],
                              .file_key = copy_of(secrets.key),
                              .old_file_key = std::nullopt,
                              .identity = loaded.identity};
  if (secrets.old_key) setup.old_file_key.emplace(copy_of(*secrets.old_key));
  return setup;
}

void Site::add_link(LinkController::Setup setup) {
  std::vector<std::uint32_t> taken;
  for (const auto& link : links_) taken.push_back(link->number);
  setup.link_index = lowest_free(std::move(taken));
  const LinkConfig config = setup.config;
  const crypto::KeyFingerprint key = crypto::fingerprint(setup.file_key);
  const Time now = monotonic_now();
  links_.push_back(std::make_shared<Link>(
      Link{.peer = config.peer,
           .number = setup.link_index,
           .vlan = config.vlan,
           .expected = config.endpoint_name.empty() ? config.endpoint : Endpoint{},
           .key = key,
           .controller = {std::move(setup), slots_, entropy_, now}}));
  Link& link = *links_.back();
  if (!facts_) return;
  dataplane_.link_peer(link.number, link.expected, link.vlan);
  link.controller.on_dataplane_up(*facts_, {}, now);
}

void Site::note_key(const Link& link) {
  audit_.write("key_loaded", fmt::format("peer={} key={}", link.peer, to_hex(link.key)));
}

void Site::note_identity() {
  audit_.write("identity_loaded", "identity=" + to_text(identity_->public_key()));
}

void Site::take_identity(std::shared_ptr<const crypto::IdentityKey> identity) {
  const bool is_new = identity && !(identity_ && identity_->public_key() == identity->public_key());
  identity_ = std::move(identity);
  if (is_new) note_identity();
}

// --- the config was read again -----------------------------------------------------------

// It may come from a timer that rotates logs: nobody has said that the keys may come back.
void Site::hang_up() {
  if (!is_zeroized_) return reload([](const auto&) {});
  reopen_audit_log();
  log::warn(fmt::format("not reloaded, and nothing changed: {}", wiped));
}

void Site::reopen_audit_log() {
  clerk_.open_audit_log([this](Result<UniqueFd> file) { audit_.reopened(std::move(file)); });
}

void Site::reload(OnReloaded on_reloaded) { reload_since(zeroizations_, std::move(on_reloaded)); }

void Site::reload_since(std::uint64_t zeroizations, OnReloaded on_reloaded) {
  if (zeroizations != zeroizations_) return on_reloaded(fail(ErrorKind::key, std::string{wiped}));
  reopen_audit_log();
  clerk_.load([this, on_reloaded = std::move(on_reloaded)](Result<LoadedSite> loaded) {
    auto report =
        loaded ? apply(std::move(*loaded)) : Result<ReloadReport>{std::unexpected{loaded.error()}};
    if (!report)
      log::warn(fmt::format("not reloaded, and nothing changed: {}", report.error().message));
    on_reloaded(std::move(report));
  });
}

Result<ReloadReport> Site::apply(LoadedSite loaded) {
  const std::string fixed = needs_a_restart(config_, loaded.config);
  if (!fixed.empty()) return fail(ErrorKind::config, fmt::format("restart to change {}", fixed));

  ReloadReport report;
  take_identity(loaded.identity);
  remove_links_missing_in(loaded.config, report);
  std::vector<std::shared_ptr<Link>> in_order;
  for (std::size_t index = 0; index < loaded.config.links.size(); ++index) {
    const std::string& peer = loaded.config.links[index].peer;
    auto setup = setup_of(loaded, index, loaded.keys[index]);
    if (const auto link = find(peer); link == nullptr) {
      add_link(std::move(setup));
      audit_.write("link_added", "peer=" + peer);
      note_key(*links_.back());
      report.added.push_back(peer);
    } else if (change_link(*link, std::move(setup))) {
      report.changed.push_back(peer);
    } else {
      ++report.untouched;
    }
    in_order.push_back(find(peer));
  }
  links_ = std::move(in_order);
  config_ = std::move(loaded.config);
  if (std::exchange(is_zeroized_, false)) dataplane_.reconnect();
  audit_.write("reloaded",
               fmt::format("added={} changed={} removed={} untouched={}", report.added.size(),
                           report.changed.size(), report.removed.size(), report.untouched));
  settle();
  return report;
}

void Site::remove_links_missing_in(const SiteConfig& config, ReloadReport& report) {
  std::erase_if(links_, [&](const std::shared_ptr<Link>& link) {
    if (std::ranges::find(config.links, link->peer, &LinkConfig::peer) != config.links.end())
      return false;
    link->controller.retire(monotonic_now());
    for (Action& action : link->controller.take_actions()) carry_out(link, std::move(action));
    dataplane_.link_gone(link->number);
    audit_.write("link_removed", "peer=" + link->peer);
    report.removed.push_back(link->peer);
    return true;
  });
}

bool Site::change_link(Link& link, LinkController::Setup setup) {
  setup.link_index = link.number;
  const std::uint16_t vlan = setup.config.vlan;
  const crypto::KeyFingerprint key = crypto::fingerprint(setup.file_key);
  if (!link.controller.reconfigure(std::move(setup), monotonic_now())) return false;
  link.vlan = vlan;
  dataplane_.link_peer(link.number, link.expected, link.vlan);
  if (std::exchange(link.key, key) != key || is_zeroized_) note_key(link);
  return true;
}

// --- the data plane has sessions already ---------------------------------------------------

void Site::number_links_by(const std::vector<ipc::SessionInfo>& living) {
  std::vector<std::string> peers;
  for (const auto& link : links_) peers.push_back(link->peer);
  const std::vector<std::uint32_t> numbers = number_links(peers, living);
  for (std::size_t index = 0; index < links_.size(); ++index)
    links_[index]->number = numbers[index];
}

void Site::remove_strangers(std::vector<ipc::SessionInfo>& living) {
  std::erase_if(living, [this](const ipc::SessionInfo& session) {
    const std::string_view peer = name_of_peer(session);
    const auto link = find(peer);
    if (link != nullptr && link->number == session.link) return false;
    log::warn(fmt::format("ending a session with {}, which the config has no link to", peer));
    dataplane_.remove(session.session_id);
    if (link == nullptr) dataplane_.link_gone(session.link);
    return true;
  });
}

}  // namespace penstock::controlplane
