// The site's own presence on the wire, on the main core: answers ARP, neighbour discovery and
// ping, finds next hops, and carries handshake datagrams between the wire and the controller.
#pragma once

#include <cstdint>
#include <vector>

#include "penstock/base/clock.hpp"

#include "dataplane/endpoint/next_hops.hpp"
#include "dataplane/endpoint/packets.hpp"
#include "dataplane/session/mailbox.hpp"
#include "dataplane/wire_identity.hpp"

namespace penstock::dataplane::endpoint {

// What the endpoint wants done.
class EndpointSink {
 public:
  virtual ~EndpointSink() = default;
  virtual void transmit(Bytes packet) = 0;  // whole, to the wire
  virtual void hop_moved(const IpAddress& hop, const MacAddress& mac) = 0;
  virtual void handshake_arrived(const penstock::Endpoint& from, Bytes datagram) = 0;
  virtual void probe_arrived(Bytes datagram) = 0;
};

class WireEndpoint {
 public:
  WireEndpoint(const WireIdentity& self, NextHops hops, EndpointSink& sink)
      : self_(self), hops_(std::move(hops)), sink_(sink) {}

  void on_packet(PuntKind kind, Bytes packet, Time now);
  // Sends a UDP datagram from our wire address. Waits briefly for its next hop; drops it when
  // there is none.
  void send(const penstock::Endpoint& to, Bytes datagram, Time now);
  void on_timer(Time now);
  [[nodiscard]] Time deadline() const { return hops_.deadline(); }

  [[nodiscard]] NextHops& hops() { return hops_; }
  [[nodiscard]] const WireIdentity& self() const { return self_; }

 private:
  void on_neighbour(Bytes packet, Time now);
  void transmit_datagram(const MacAddress& mac, const penstock::Endpoint& to, Bytes datagram);

  // Datagrams whose next hop has not answered yet. Handshakes are sent again anyway: few and
  // fresh ones are enough.
  static constexpr std::size_t max_waiting = 16;
  static constexpr Time longest_wait = std::chrono::seconds{3};
  struct Waiting {
    IpAddress hop;
    penstock::Endpoint to;
    std::vector<std::byte> datagram;
    Time until{};
  };

  WireIdentity self_;
  NextHops hops_;
  EndpointSink& sink_;
  std::vector<Waiting> waiting_;
};

}  // namespace penstock::dataplane::endpoint
