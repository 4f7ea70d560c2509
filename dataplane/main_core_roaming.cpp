// The main core's part in roaming: turns what workers saw into challenges, and answers to them
// into new addresses. Source: docs/protocol.md, "Roaming".
#include <sys/random.h>

#include <algorithm>

#include <rte_mbuf.h>

#include "penstock/base/check.hpp"

#include "dataplane/main_core.hpp"

namespace penstock::dataplane {
namespace {

// A multicast or broadcast address, or none at all.
bool is_nobody(const IpAddress& address) {
  const auto first = load_u8(address.bytes.data());
  if (address.version == IpVersion::v4) return first >= 224 || first == 0;
  return first == 0xff || address == IpAddress{.version = IpVersion::v6};
}

}  // namespace

roaming::Nonce MainCore::draw_nonce() {
  roaming::Nonce nonce;
  check(getrandom(nonce.data(), nonce.size(), 0) == static_cast<ssize_t>(nonce.size()),
        "randomness");
  return nonce;
}

std::uint64_t MainCore::draw_number() {
  const roaming::Nonce nonce = draw_nonce();
  return load_be64(nonce.data());
}

void MainCore::read_trace(const Trace& trace) {
  SessionRecord* record = sessions_.find(trace.spi);
  if (record == nullptr) return;
  switch (trace.kind) {
    case Trace::Kind::sighting:
      return on_sighting(*record, trace);
    case Trace::Kind::challenge:
      return send_block(record->shares, ControlType::response, trace.nonce);
    case Trace::Kind::response:
      return on_response(*record, trace);
  }
}

void MainCore::on_sighting(const SessionRecord& record, const Trace& trace) {
  const penstock::Endpoint& from = trace.from;
  // A worker that has not obeyed a move yet still says so.
  if (from == ipc::from_wire(record.info.peer)) return;
  if (from.port == 0 || is_nobody(from.address) || from.address == setup_.self.endpoint.address ||
      !endpoint_.hops().towards(from.address))
    return;
  candidates_.sighted(record.info.session_id, from, trace.frames, now_);
}

void MainCore::send_challenges() {
  for (const auto& challenge : candidates_.take_challenges(now_)) {
    const SessionRecord* record = sessions_.find(challenge.session);
    if (record == nullptr)
      candidates_.forget(challenge.session);
    else if (!send_challenge(*record, challenge))
      candidates_.give_back(challenge.session);
  }
}

// Lane 0 alone is watched, so it alone is asked on.
bool MainCore::send_challenge(const SessionRecord& record,
                              const roaming::Candidates::Challenge& challenge) {
  const auto hop = endpoint_.hops().towards(challenge.to.address);
  const auto mac = hop ? endpoint_.hops().find(*hop, now_) : std::nullopt;
  if (!mac) return false;
  constexpr std::array type{static_cast<std::byte>(ControlType::challenge)};
  rte_mbuf* buffer = copy_to_buffer({type, challenge.nonce});
  if (buffer == nullptr) return false;
  const bool is_sent = command(0, {.kind = Command::Kind::challenge,
                                   .mac = *mac,
                                   .peer = challenge.to,
                                   .session = record.shares[0].get(),
                                   .packet = buffer});
  if (!is_sent) rte_pktmbuf_free(buffer);
  return is_sent;
}

void MainCore::on_response(SessionRecord& record, const Trace& trace) {
  if (!candidates_.proves(record.info.session_id, trace.from, trace.nonce, now_)) return;
  endpoint::NextHops& hops = endpoint_.hops();
  const IpAddress hop = *hops.towards(trace.from.address);  // it was challenged
  const auto mac = hops.find(hop, now_);
  if (!mac) return;
  // All or none: lanes of one session that go to two places would be an end of some. The far side's
  // next frames make it a candidate again.
  for (std::size_t worker = 0; worker < workers(); ++worker)
    if (!has_room(worker, Command::Kind::move)) return;
  Command told{.kind = Command::Kind::move, .mac = *mac, .address = hop, .peer = trace.from};
  for (std::size_t worker = 0; worker < workers(); ++worker) {
    told.session = record.shares[worker].get();
    check(command(worker, told), "a mailbox that had room");
  }
  hops.pin(hop, now_);
  hops.unpin(record.next_hop);
  record.next_hop = hop;
  record.info.peer = ipc::to_wire(trace.from);
  control_.on_moved(record);
}

}  // namespace penstock::dataplane
