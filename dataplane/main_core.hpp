// The main core: reads the control socket, feeds mailboxes, answers ARP, neighbour discovery
// and ping for the wire address, passes handshake datagrams up and down, adds up counters.
// Runs no packet work and owns no queue.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "dataplane/control/control_server.hpp"
#include "dataplane/control/plane.hpp"
#include "dataplane/control/session_directory.hpp"
#include "dataplane/endpoint/endpoint.hpp"
#include "dataplane/probing/prober.hpp"
#include "dataplane/roaming/candidates.hpp"
#include "dataplane/session/expected_peers.hpp"
#include "dataplane/session/mailbox.hpp"
#include "dataplane/worker.hpp"

struct rte_mempool;

namespace penstock::dataplane {

// A worker as the main core knows it.
struct WorkerHandle {
  Worker* worker = nullptr;
  Mailbox* mailbox = nullptr;
};

class MainCore final : public Plane, public endpoint::EndpointSink, public probing::ProbeSink {
 public:
  struct Setup {
    std::vector<WorkerHandle> workers;
    rte_mempool* punts = nullptr;
    WireIdentity self;
    IpPrefix on_link;
    std::optional<IpAddress> gateway;
    std::vector<penstock::Endpoint> peers;  // whose next hops are asked for from the start
    SessionDirectory::Setup sessions;
    ControlServer::Setup control;
    ExpectedPeers* expected = nullptr;
    const Wake* wake = nullptr;  // a worker has something for us
  };
  MainCore(Setup setup, const FrameEngine& engine);

  // Until one of the signals that `signal_fd` takes arrives. False: a port has vanished.
  [[nodiscard]] bool run(int signal_fd);

  // What run() does between two waits; for those who bring their own clock.
  struct Ready {
    bool wake = true;
    bool connection = true;
    bool controller = true;
  };
  void turn(Time now, const Ready& ready);
  // When a turn has something to do although nothing arrives; Time::max() if never.
  [[nodiscard]] Time deadline() const {
    const Time again = control_.has_orders() ? now_ + std::chrono::milliseconds{10} : Time::max();
    return std::min({endpoint_.deadline(), candidates_.deadline(), prober_.deadline(),
                     control_.deadline(), again});
  }
  [[nodiscard]] const SessionDirectory& sessions() const { return sessions_; }

  // Plane
  [[nodiscard]] std::size_t workers() const override { return setup_.workers.size(); }
  [[nodiscard]] bool command(std::size_t worker, const Command& command) override;
  void send_datagram(const penstock::Endpoint& to, Bytes datagram) override;
  void send_inside(std::span<const std::unique_ptr<Session>> shares, Bytes message) override;
  void expect(std::vector<penstock::Endpoint> peers) override;
  [[nodiscard]] Counters total() const override;
  [[nodiscard]] Counters of_worker(std::size_t worker) const override {
    return setup_.workers[worker].worker->counters();
  }
  [[nodiscard]] std::vector<ipc::LinkStats> link_stats() const override;

  // EndpointSink
  void transmit(Bytes packet) override;
  void hop_moved(const IpAddress& hop, const MacAddress& mac) override;
  void handshake_arrived(const penstock::Endpoint& from, Bytes datagram) override;
  void probe_arrived(Bytes datagram) override;

  // ProbeSink
  void send_probe(const penstock::Endpoint& to, Bytes packet) override;
  void path_found(SessionRecord& record, std::uint16_t frame_size) override;

 private:
  void read_worker(Mailbox& mailbox, Time now);
  void read_note(const Note& note);
  void read_confirmed(const Note& note);
  void pass_on(const StrayReport& stray);
  void read_punt(const PuntedPacket& punted, Time now);
  // Through one of the session's own SAs, lane 0.
  void send_block(std::span<const std::unique_ptr<Session>> shares, ControlType type, Bytes said);

  // main_core_roaming.cpp
  [[nodiscard]] static roaming::Nonce draw_nonce();
  [[nodiscard]] static std::uint64_t draw_number();
  void read_trace(const Trace& trace);
  void on_sighting(const SessionRecord& record, const Trace& trace);
  void on_response(SessionRecord& record, const Trace& trace);
  void send_challenges();
  [[nodiscard]] bool send_challenge(const SessionRecord& record,
                                    const roaming::Candidates::Challenge& challenge);

  [[nodiscard]] rte_mbuf* copy_to_buffer(std::initializer_list<Bytes> parts) const;
  [[nodiscard]] int timeout_ms(Time now) const;
  [[nodiscard]] bool has_room(std::size_t worker, Command::Kind kind) const;

  Setup setup_;
  Time now_;  // of this turn
  endpoint::WireEndpoint endpoint_;
  SessionDirectory sessions_;
  ControlServer control_;
  roaming::Candidates candidates_{draw_nonce};
  probing::Prober prober_;
  bool is_port_gone_ = false;
  std::uint64_t mailbox_full_ = 0;  // commands that a worker had no room for, and are lost
  std::uint64_t no_buffer_ = 0;     // what could not be sent for want of one
};

}  // namespace penstock::dataplane
