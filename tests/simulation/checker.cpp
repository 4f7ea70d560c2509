#include "checker.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "penstock/wire/frame.hpp"
#include "penstock/wire/outer.hpp"
#include "tests/simulation/event_log.hpp"

#include "dataplane/session/link_lane.hpp"

namespace penstock::simulation {
namespace {

std::string_view name_of(int site) { return site == 0 ? "alpha" : "beta"; }

[[noreturn]] void fail(std::string_view invariant, std::string text) {
  throw Failure{.invariant = invariant, .text = std::move(text)};
}

std::uint64_t short_name(const ipc::SessionId& id) { return load_be64(id.data()) | 1; }

}  // namespace

// --- plain ports ---------------------------------------------------------------------------

std::vector<std::byte> Checker::send(int site, std::uint8_t flow, unsigned worker,
                                     const dataplane::SessionRecord* session) {
  std::vector<Sent>& sent = side(site).flows[flow].sent;
  side(site).flows[flow].worker = worker;
  const PacketName name{
      .site = static_cast<std::uint8_t>(site), .flow = flow, .number = sent.size()};
  const bool has_session = session != nullptr;
  sent.push_back({.session = has_session ? short_name(session->info.session_id) : 0,
                  .is_calm = is_calm_ && has_session,
                  .is_in_order = is_calm_ && is_in_order_});
  ++statistics_.sent;
  statistics_.calm_packets += sent.back().is_calm ? 1 : 0;
  return make_packet(seed_, name);
}

void Checker::delivered(int site, Bytes packet) {
  ++statistics_.delivered;
  ++side(site).delivered;
  const auto name = read_name(packet);
  const int sender = 1 - site;
  if (!name || name->site != sender || name->flow >= flow_count ||
      name->number >= side(sender).flows[name->flow].sent.size())
    fail("delivered but never sent",
         fmt::format("{} was given a packet of {} bytes that {} never sent", name_of(site),
                     packet.size(), name_of(sender)));
  Flow& flow = side(sender).flows[name->flow];
  Sent& sent = flow.sent[name->number];
  const auto what =
      fmt::format("packet {} of flow {} from {}", name->number, name->flow, name_of(sender));
  if (!std::ranges::equal(packet, make_packet(seed_, *name))) fail("delivered altered", what);
  if (sent.session == 0) fail("delivered but never sent", what + " had no session to go through");
  if (std::exchange(sent.is_delivered, true)) fail("delivered twice", what);
  std::uint64_t& last = flow.last_arrived[sent.session];
  if (name->number < last && !sent.may_be_next)
    fail("order of a flow", what + " came after a later one of its session");
  if (!sent.may_be_next) last = name->number + 1;
  if (sent.is_in_order && name->number < flow.highest)
    fail("order of a flow", what + " came after a later one, by a calm wire");
  flow.highest = std::max<std::uint64_t>(flow.highest, name->number + 1);
}

void Checker::calm_begins(bool in_order) {
  is_calm_ = true;
  is_in_order_ = in_order;
  for (Side& of : sides_) of.given_up_at_calm = of.given_up;
}

void Checker::expect_nothing_lost() {
  for (int site = 0; site < 2; ++site) {
    std::uint64_t excused = side(site).given_up - side(site).given_up_at_calm;
    for (std::size_t flow = 0; flow < flow_count; ++flow) {
      std::vector<Sent>& sent = side(site).flows[flow].sent;
      for (std::size_t number = 0; number < sent.size(); ++number) {
        if (!std::exchange(sent[number].is_calm, false) || sent[number].is_delivered) continue;
        if (excused == 0)
          fail("a calm wire loses nothing",
               fmt::format("packet {} of flow {} from {} never arrived", number, flow,
                           name_of(site)));
        --excused;
      }
    }
  }
}

// --- keys and numbers ------------------------------------------------------------------------

void Checker::installing(int site, const ipc::InstallSession& message) {
  std::vector<KeyName>& names = side(site).keys[message.session_id];
  names.clear();
  for (const ipc::LaneKeys& keys : std::span{message.out}.first(message.lanes_out))
    names.push_back(hash_of(keys.mac, hash_of(keys.encrypt)));
  const auto rates = std::span{message.shaping.rates}.first(message.shaping.steps);
  side(site).rates[message.session_id] = std::ranges::max(rates) / message.lanes_out;
}

void Checker::left(int site, unsigned worker, Bytes packet, Sessions sessions, Time now) {
  if (has_plain_bytes(packet))
    fail("nothing in the clear", fmt::format("a plain packet left {} by the wire", name_of(site)));
  const auto datagram = parse_udp(packet);
  if (!datagram) return;  // ARP, neighbour discovery
  const Bytes payload = datagram->payload;
  const std::uint8_t type = payload.empty() ? 0 : load_u8(payload.data());
  if (is_handshake(type) && payload.size() == limits::handshake_message) {
    ++statistics_.handshake_messages;
  } else if (type == static_cast<std::uint8_t>(PacketType::data)) {
    frame_left(site, worker, *datagram, sessions, now);
  } else {
    fail("nothing in the clear",
         fmt::format("{} sent a datagram that is neither frame nor handshake", name_of(site)));
  }
}

void Checker::frame_left(int site, unsigned lane, const UdpDatagram& datagram, Sessions sessions,
                         Time now) {
  const Bytes frame = datagram.payload;
  ++statistics_.frames;
  const auto header = read_frame_header(frame);
  if (header && header->spi.lane() != lane)
    fail("one lane a worker", fmt::format("worker {} of {} sent a frame of lane {}", lane,
                                          name_of(site), header->spi.lane()));
  const dataplane::SessionRecord* found = nullptr;
  for (const auto& record : sessions) {
    if (record->shares.front()->order > side(site).newest) saw_session(site, *record);
    if (!header || record->info.remote_spi_base != header->spi.base().value) continue;
    // After a crash the far side may give the number of a session that lives here to the next:
    // which of the two sent this cannot be told from outside.
    if (found != nullptr) return;
    found = record.get();
  }
  if (found == nullptr && header && is_last_of_ended(site, lane, *header, now)) return;
  if (found == nullptr)
    fail("frames of living sessions", fmt::format("{} sent a frame of no session", name_of(site)));
  if (frame.size() != found->info.frame_size)
    fail("one frame size", fmt::format("{} sent {} bytes in a session of {}", name_of(site),
                                       frame.size(), found->info.frame_size));
  if (now > found->installed_at + max_age_)
    fail("no session past its age",
         fmt::format("{} sent on a session of {} s", name_of(site),
                     (now - found->installed_at).count() / 1'000'000'000));
  number_left(site, side(site).keys.at(found->info.session_id).at(lane), *header,
              found->shares[lane]->lane != nullptr);
  in_rhythm(site, lane, datagram, *found, now);
  if (found->shares[lane]->lane != nullptr)
    has_its_share(site, *found->shares[lane]->lane, sessions);
}

// A frame that waits for its tick may be overtaken by one that stands beside the rhythm.
void Checker::number_left(int site, KeyName key, const FrameHeader& header, bool may_wait) {
  Numbers& numbers = numbers_[key];
  const std::uint64_t number = header.sequence.value;
  if (number < numbers.next && numbers.passed.erase(number) == 0)
    fail("number used twice",
         fmt::format("{} sent number {} of SPI {:08x} after number {}", name_of(site), number,
                     header.spi.value, numbers.next - 1));
  for (; may_wait && numbers.next < number; ++numbers.next) numbers.passed.insert(numbers.next);
  numbers.next = std::max(numbers.next, number + 1);
}

// Sealed while its session lived, at the tick before: the rhythm goes on without sessions.
bool Checker::is_last_of_ended(int site, unsigned lane, const FrameHeader& header, Time now) {
  const Lane::Waiting& waiting = side(site).lanes[lane].waiting;
  if (header.spi.base() != waiting.spi_base || now > waiting.until) return false;
  number_left(site, waiting.key, header, true);
  return true;
}

// What goes to another address than the session's asks who is there (roaming), and stands beside
// the rhythm.
void Checker::in_rhythm(int site, unsigned index, const UdpDatagram& datagram,
                        const dataplane::SessionRecord& session, Time now) {
  Lane& of = side(site).lanes[index];
  const dataplane::LinkLane* const lane = session.shares[index]->lane;
  const bool was_calm = std::exchange(of.was_calm, is_calm_);
  if (lane == nullptr || lane->carrier == nullptr || lane->pacer.rate() == 0 ||
      datagram.destination != ipc::from_wire(session.info.peer))
    return of.rhythm.forget();
  if (lane->is_capped()) return of.rhythm.apart(site, now, lane->pacer.rate());
  of.waiting = {.spi_base = Spi{session.info.remote_spi_base},
                .key = side(site).keys.at(session.info.session_id).at(index)};
  saw_clock(side(site), session);
  // A grid is known from frames. Where the rate moves between two of them, it says nothing.
  const bool is_steady = lane->shaping.mode == ShapeMode::constant &&
                         lane->rate.state() == CircuitBreaker::State::closed &&
                         std::exchange(of.trips, lane->rate.trips()) == lane->rate.trips();
  if (!std::exchange(of.was_steady, is_steady) || !is_steady) return of.rhythm.forget();
  of.rhythm.on_grid(site, now, lane->pacer.rate());
  if (is_calm_ && was_calm && of.rhythm.skipped() != 0)
    fail("one frame a tick", fmt::format("{} missed {} ticks of lane {} in a calm", name_of(site),
                                         of.rhythm.skipped(), index));
}

// A frame may have waited since the session before, whose rate was another.
void Checker::has_its_share(int site, const dataplane::LinkLane& lane, Sessions sessions) {
  if (lane.is_stopped()) return;
  std::uint64_t most = 0;
  for (const auto& record : sessions)
    most = std::max(most, side(site).rates.at(record->info.session_id));
  if (lane.pacer.rate() > most + 1)
    fail("rate of a link", fmt::format("a lane of {} has a rate of {}, its share is {}",
                                       name_of(site), lane.pacer.rate(), most));
}

// --- a site after each turn --------------------------------------------------------------------

void Checker::dataplane_started(int site) {
  side(site).newest = 0;
  for (Lane& lane : side(site).lanes) lane.rhythm.forget();
  side(site).given_up = 0;
}

void Checker::turned(int site, std::span<const Counters> counters, Sessions sessions,
                     bool is_quiet) {
  side(site).given_up = 0;
  for (const Counters& each : counters) {
    if (const auto book = unbalanced_book(each); !book.empty())
      fail("balanced books", fmt::format("{}: the book of {}", name_of(site), book));
    for (const DropReason reason : {DropReason::queue_full, DropReason::queue_aqm,
                                    DropReason::wiped_packet, DropReason::link_stopped})
      side(site).given_up += each.drops[static_cast<std::size_t>(reason)];
  }
  for (const auto& record : sessions) {
    if (record->shares.front()->order > side(site).newest) saw_session(site, *record);
    saw_clock(side(site), *record);
  }
  for (unsigned worker = 0; worker < counters.size(); ++worker) saw_current(site, worker, sessions);
  if (is_quiet) all_agree(site, sessions);
}

// Any worker may be the first to hear that the far side has a session, and then all send on it.
void Checker::all_agree(int site, Sessions sessions) {
  for (const auto& record : sessions) {
    const auto is_current = [](const auto& share) {
      return share->state() == ipc::SessionState::current;
    };
    const auto count = std::ranges::count_if(record->shares, is_current);
    if (count != 0 && static_cast<std::size_t>(count) != record->shares.size())
      fail("workers agree",
           fmt::format("{} of {} workers of {} send on session {:016x}", count,
                       record->shares.size(), name_of(site), short_name(record->info.session_id)));
  }
}

// What waits on a link with a rate when its session is replaced goes by the next one, and what is
// on the wire meanwhile may come behind it.
void Checker::saw_current(int site, unsigned worker, Sessions sessions) {
  const dataplane::SessionRecord* record = nullptr;
  for (const auto& each : sessions) {
    if (each->shares[worker]->state() != ipc::SessionState::current) continue;
    if (record != nullptr)
      fail("one current session", fmt::format("worker {} of {} has two", worker, name_of(site)));
    record = each.get();
  }
  const std::uint64_t current = record == nullptr ? 0 : short_name(record->info.session_id);
  const std::uint64_t before = std::exchange(side(site).lanes[worker].current, current);
  if (before == current || record == nullptr || record->shares[worker]->lane == nullptr) return;
  for (Flow& flow : side(site).flows)
    if (flow.worker == worker)
      for (Sent& sent : flow.sent) sent.may_be_next |= sent.session == before && !sent.is_delivered;
}

// What waits goes at the next tick, even if the clock was slowed since it was sealed: a breaker may
// open between a session's last frame and its end.
void Checker::saw_clock(Side& side, const dataplane::SessionRecord& record) {
  for (std::size_t worker = 0; worker < record.shares.size(); ++worker) {
    const dataplane::LinkLane* const lane = record.shares[worker]->lane;
    Lane::Waiting& waiting = side.lanes[worker].waiting;
    if (lane != nullptr && record.info.remote_spi_base == waiting.spi_base.value)
      waiting.until = lane->pacer.next() + Time{2000};
  }
}

void Checker::saw_session(int site, const dataplane::SessionRecord& record) {
  ++statistics_.sessions;
  side(site).newest = record.shares.front()->order;
  const auto key = side(site).keys.find(record.info.session_id);
  if (key == side(site).keys.end())
    fail("keys of controllers",
         fmt::format("{} has a session that nobody installed", name_of(site)));
  for (const KeyName lane : key->second)
    if (!installed_.insert(lane).second)
      fail("key installed twice",
           fmt::format("{} seals anew with keys that were used before", name_of(site)));
}

}  // namespace penstock::simulation
