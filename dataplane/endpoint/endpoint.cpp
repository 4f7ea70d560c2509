#include "dataplane/endpoint/endpoint.hpp"

#include <algorithm>

#include "penstock/wire/outer.hpp"

namespace penstock::dataplane::endpoint {

void WireEndpoint::on_packet(PuntKind kind, Bytes packet, Time now) {
  switch (kind) {
    case PuntKind::handshake:
    case PuntKind::stranger:
      if (const auto datagram = parse_udp(packet))
        sink_.handshake_arrived(datagram->source, datagram->payload);
      return;
    case PuntKind::neighbour:
      return on_neighbour(packet, now);
    case PuntKind::echo:
      if (const auto reply = answer_echo(packet, self_)) sink_.transmit(*reply);
      return;
    case PuntKind::probe:
    case PuntKind::stray_probe:
      if (const auto datagram = parse_udp(packet)) sink_.probe_arrived(datagram->payload);
      return;
  }
}

void WireEndpoint::on_neighbour(Bytes packet, Time now) {
  const auto who = read_neighbour(packet, self_);
  if (!who) return;
  if (who->asks_for_us) sink_.transmit(answer_neighbour(*who, self_));
  if (!hops_.learn(who->address, who->mac, now)) return;
  sink_.hop_moved(who->address, who->mac);
  for (const Waiting& waiting : waiting_)
    if (waiting.hop == who->address) transmit_datagram(who->mac, waiting.to, waiting.datagram);
  std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.hop == who->address; });
}

void WireEndpoint::send(const penstock::Endpoint& to, Bytes datagram, Time now) {
  const auto hop = hops_.towards(to.address);
  if (!hop) return;
  if (const auto mac = hops_.find(*hop, now)) return transmit_datagram(*mac, to, datagram);
  if (waiting_.size() >= max_waiting) waiting_.erase(waiting_.begin());
  waiting_.push_back({.hop = *hop,
                      .to = to,
                      .datagram = {datagram.begin(), datagram.end()},
                      .until = now + longest_wait});
  on_timer(now);
}

void WireEndpoint::transmit_datagram(const MacAddress& mac, const penstock::Endpoint& to,
                                     Bytes datagram) {
  const OuterHeader header = make_outer_header({.source_mac = self_.mac,
                                                .destination_mac = mac,
                                                .source = self_.endpoint,
                                                .destination = to},
                                               datagram.size());
  Packet packet(header.view().begin(), header.view().end());
  packet.insert(packet.end(), datagram.begin(), datagram.end());
  finish_udp6_checksum(packet);
  sink_.transmit(packet);
}

void WireEndpoint::on_timer(Time now) {
  for (const IpAddress& hop : hops_.take_questions(now)) sink_.transmit(ask_neighbour(hop, self_));
  std::erase_if(waiting_, [now](const Waiting& waiting) { return now >= waiting.until; });
}

}  // namespace penstock::dataplane::endpoint
