// The shell around the links of a site: feeds what happens to their controllers, and carries
// out what they want. The one place where the control plane's decisions meet sockets and clocks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "penstock/config/site_config.hpp"

#include "controlplane/admin/methods.hpp"
#include "controlplane/handshake/entropy.hpp"
#include "controlplane/session/link_controller.hpp"
#include "controlplane/session/slot_allocator.hpp"
#include "controlplane/shell/audit.hpp"
#include "controlplane/shell/clerk/clerk.hpp"
#include "controlplane/shell/dataplane_client.hpp"

namespace penstock::controlplane {

class Site final : public AdminTarget, private DataplaneClient::Listener {
 public:
  // `clerk` outlives the site, and has loaded it.
  Site(asio::io_context& loop, LoadedSite loaded, Clerk& clerk, AuditLog audit);
  void start();

  void ask_status(std::function<void(SiteStatus)> on_status) override;
  void ask_topology(std::function<void(const Result<std::string>&)> on_text) override;
  Result<void> rekey(std::string_view peer) override;
  // SIGHUP: a reload, but for keys that were wiped. The log tells how it went.
  void hang_up();
  void reload(OnReloaded on_reloaded) override;
  void zeroize(const Caller& caller, OnZeroized on_zeroized) override;
  void restore_key(const std::string& peer, OnDone on_done) override;

 private:
  struct Link {
    std::string peer;
    std::uint32_t number;  // the data plane's for it
    std::uint16_t vlan;
    Endpoint expected;  // where the far side is thought to be
    crypto::KeyFingerprint key;
    LinkController controller;
  };

  // --- what happens
  void on_dataplane_up(const ipc::HelloReply& hello, std::vector<ipc::SessionInfo> living) override;
  void on_dataplane_down() override;
  void on_punt(const Endpoint& from, Bytes datagram) override;
  void on_punt_inside(const ipc::SessionId& session_id, Bytes message) override;
  void on_event(const ipc::Event& event) override;
  void on_timer();
  // Whether one of the links took it.
  [[nodiscard]] bool offer(const Route& from, Bytes message, Time now);

  void zeroize_dataplane_again();

  // --- after every input: what the controllers want done, and when they want to be woken
  void settle();
  void carry_out(const std::shared_ptr<Link>& link, Action action);
  void install(const std::shared_ptr<Link>& link, Install& wanted);
  void resolve(const std::shared_ptr<Link>& link, const std::string& host);
  void expect(Link& link, const Endpoint& peer);
  void write_off(const Link& link, const crypto::KeyFingerprint& old_key);
  void arm_timer();

  // --- the links of the config, and those that the data plane has (site_links.cpp)
  [[nodiscard]] std::shared_ptr<Link> find(std::string_view peer) const;
  // For who ordered it when there had been so many zeroizations.
  void reload_since(std::uint64_t zeroizations, OnReloaded on_reloaded);
  void reopen_audit_log();
  [[nodiscard]] Result<ReloadReport> apply(LoadedSite loaded);
  void remove_links_missing_in(const SiteConfig& config, ReloadReport& report);
  void add_link(LinkController::Setup setup);
  [[nodiscard]] bool change_link(Link& link, LinkController::Setup setup);
  [[nodiscard]] LinkController::Setup setup_of(const LoadedSite& loaded, std::size_t index,
                                               const LinkSecrets& secrets) const;
  void take_identity(std::shared_ptr<const crypto::IdentityKey> identity);
  void number_links_by(const std::vector<ipc::SessionInfo>& living);
  void remove_strangers(std::vector<ipc::SessionInfo>& living);
  void note_key(const Link& link);
  void note_identity();

  [[nodiscard]] SiteStatus status(std::optional<DataplaneReport> report) const;

  SiteConfig config_;
  Clerk& clerk_;
  AuditLog audit_;
  std::shared_ptr<const crypto::IdentityKey> identity_;
  bool is_zeroized_ = false;        // until a reload loads the keys again
  std::uint64_t zeroizations_ = 0;  // what was ordered before one loads no key after it
  Time started_;
  SystemEntropy entropy_;
  SlotAllocator slots_;
  std::optional<DataplaneFacts> facts_;       // empty while there is no data plane
  std::vector<std::shared_ptr<Link>> links_;  // in the order of the config
  DataplaneClient dataplane_;
  asio::steady_timer timer_;
};

}  // namespace penstock::controlplane
