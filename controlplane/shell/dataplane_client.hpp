// The control plane's end of the door between the planes: connects to the data plane, for
// ever, says hello, learns which sessions live, and then carries requests down and punts and
// events up. Everything happens on the event loop's one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include "penstock/ipc/channel.hpp"
#include "penstock/keys/secret.hpp"

#include "controlplane/shell/outbox.hpp"

namespace penstock::controlplane {

// What the data plane says of itself when asked.
struct DataplaneReport {
  ipc::Stats stats;
  std::vector<ipc::SessionInfo> sessions;
  std::vector<ipc::LinkStats> links;  // of those that are paced or probed
  std::vector<ipc::WorkerStats> workers;
};

class DataplaneClient {
 public:
  // Hears of the data plane; may call the client back.
  class Listener {
   public:
    virtual void on_dataplane_up(const ipc::HelloReply& hello,
                                 std::vector<ipc::SessionInfo> living) = 0;
    virtual void on_dataplane_down() = 0;
    virtual void on_punt(const Endpoint& from, Bytes datagram) = 0;
    virtual void on_punt_inside(const ipc::SessionId& session_id, Bytes message) = 0;
    virtual void on_event(const ipc::Event& event) = 0;

   protected:
    ~Listener() = default;
  };
  using OnInstalled = std::function<void(ipc::InstallResult)>;
  // How many sessions there were; empty: no data plane runs; an error: it did not confirm.
  using OnZeroized = std::function<void(const Result<std::optional<std::uint32_t>>&)>;
  using OnReport = std::function<void(std::optional<DataplaneReport>)>;

  // `listener` outlives the client. Nothing happens before start().
  DataplaneClient(asio::io_context& loop, std::filesystem::path socket, Listener& listener);
  DataplaneClient(const DataplaneClient&) = delete;
  DataplaneClient& operator=(const DataplaneClient&) = delete;
  ~DataplaneClient();
  void start();

  [[nodiscard]] bool is_up() const { return state_ == State::up; }
  // Why it is not up; empty when it is.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  // What it said when it came up; meaningful while it is.
  [[nodiscard]] const ipc::HelloReply& hello() const { return hello_; }

  // Each does nothing while the data plane is down (its sessions are gone then, or will be
  // listed again). The message's keys are wiped once they are sent.
  void install(SecretBox<ipc::InstallSession> message, OnInstalled on_installed);
  void remove(const ipc::SessionId& session_id);
  void inject(const Endpoint& to, Bytes datagram);
  // A whole handshake message, inside a session.
  void inject_inside(const ipc::SessionId& session_id, Bytes inner);
  // What the data plane knows of a link while it has no session; or that the link is no more.
  void link_peer(std::uint32_t link, const Endpoint& peer, std::uint16_t vlan);
  void link_gone(std::uint32_t link);
  // Every session ends and every key is wiped over there, and nothing can be installed before
  // reconnect(). Always answers. Who asks while the data plane is at it shares the answer.
  void zeroize(OnZeroized on_zeroized);
  // Hangs up and says hello again.
  void reconnect();
  // Always answers: with nothing when the data plane is down, or goes down before it answers.
  void ask_report(OnReport on_report);
  // Its workers, queues, rings and pools, as text for the operator; nothing while it does not run.
  void ask_topology(std::function<void(std::optional<std::string>)> on_text);

 private:
  enum class State : std::uint8_t { waiting, greeting, up };
  enum class Reply : std::uint8_t { last, more_follow, nonsense };
  struct Pending {
    std::function<Reply(const ipc::Received&)> on_reply;
    std::function<void()> on_lost = [] {};
  };

  void connect();
  void retry_later();
  void lose(std::string reason);
  void drop_connection();
  void forget_channel();
  void explain(std::string reason);
  void explain_absence(std::string reason);

  void wait_readable();
  void read_all();
  [[nodiscard]] bool dispatch(const ipc::Received& message);
  [[nodiscard]] bool dispatch_unasked(const ipc::Received& message);
  [[nodiscard]] bool dispatch_reply(const ipc::Received& message);

  void greet();
  [[nodiscard]] Reply on_hello(const ipc::Received& message);
  void list_living();
  void come_up(std::vector<ipc::SessionInfo> living);

  template <ipc::Message M>
  void send(const M& message);
  void wait_writable();
  void hang_up();
  template <ipc::Message M>
  void request(M& message, Pending pending);
  // Asks by a Question for any number of Items.
  template <ipc::Message Question, ipc::Message Item>
  void list(std::function<void(std::vector<Item>)> on_list, std::function<void()> on_lost);
  void list_sessions(std::function<void(std::vector<ipc::SessionInfo>)> on_list,
                     std::function<void()> on_lost);
  void ask_workers(DataplaneReport report, const OnReport& on_report);
  void ask_stats(DataplaneReport report, OnReport on_report);
  void watch_patience();
  void zeroized(const Result<std::optional<std::uint32_t>>& outcome);

  std::filesystem::path socket_;
  Listener& listener_;
  asio::posix::stream_descriptor readable_;
  asio::steady_timer retry_;
  asio::steady_timer patience_;  // how long a request may stay unanswered

  State state_ = State::waiting;
  std::string reason_;
  std::string logged_;          // the reason that the log has
  std::string_view complaint_;  // what is wrong with a message that is refused
  std::chrono::milliseconds backoff_;
  std::unique_ptr<ipc::Channel> channel_;
  Outbox outbox_;
  ipc::HelloReply hello_;
  std::uint32_t last_request_ = 0;
  std::map<std::uint32_t, Pending> pending_;
  std::vector<OnZeroized> zeroizing_;     // who waits for the one that is under way
  std::vector<ipc::Event> early_events_;  // came while the sessions were being listed
};

template <ipc::Message M>
void DataplaneClient::send(const M& message) {
  const bool is_waiting = !outbox_.is_empty();
  switch (outbox_.send(*channel_, message)) {
    case ipc::SendStatus::sent:
      return;
    case ipc::SendStatus::later:
      if (!is_waiting) wait_writable();
      return;
    case ipc::SendStatus::gone:
      hang_up();
  }
}

template <ipc::Message M>
void DataplaneClient::request(M& message, Pending pending) {
  if (++last_request_ == 0) ++last_request_;  // 0 means unasked
  message.header.request = last_request_;
  pending_.emplace(last_request_, std::move(pending));
  if (pending_.size() == 1) watch_patience();
  send(message);
}

}  // namespace penstock::controlplane
