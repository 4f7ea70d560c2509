// The shell around the links of a site: feeds what happens to their controllers, and carries
// out what they want. The one place where the control plane's decisions meet sockets and clocks.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "penstock/config/site_config.hpp"

#include "controlplane/admin/methods.hpp"
#include "controlplane/handshake/entropy.hpp"
#include "controlplane/session/link_controller.hpp"
#include "controlplane/session/slot_allocator.hpp"
#include "controlplane/shell/dataplane_client.hpp"

namespace penstock::controlplane {

class Site final : public AdminTarget, private DataplaneClient::Listener {
 public:
  // One file key for each link of the config, in its order.
  Site(asio::io_context& loop, const SiteConfig& config, std::vector<crypto::FileKey> file_keys,
       std::shared_ptr<const crypto::IdentityKey> identity = nullptr);
  void start() {
    settle();  // what the links have to say about their config
    dataplane_.start();
  }

  void ask_status(std::function<void(SiteStatus)> on_status) override;
  Result<void> rekey(std::string_view peer) override;

 private:
  void on_dataplane_up(const ipc::HelloReply& hello, std::vector<ipc::SessionInfo> living) override;
  void on_dataplane_down() override;
  void on_punt(const Endpoint& from, Bytes datagram) override;
  void on_punt_inside(const ipc::SessionId& session_id, Bytes message) override;
  void on_event(const ipc::Event& event) override;
  void on_timer();
  // Whether one of the links took it.
  [[nodiscard]] bool offer(const Route& from, Bytes message, Time now);

  // After every input: what the controllers want done, and when they want to be woken.
  void settle();
  void carry_out(std::size_t link, Action action);
  void arm_timer();

  [[nodiscard]] SiteStatus status(std::optional<DataplaneReport> report) const;

  std::string name_;
  bool is_lab_;
  Time started_;
  SystemEntropy entropy_;
  SlotAllocator slots_;
  std::vector<LinkController> links_;
  DataplaneClient dataplane_;
  asio::steady_timer timer_;
};

}  // namespace penstock::controlplane
