#include "dataplane/control/session_directory.hpp"

#include <algorithm>
#include <cstring>

#include "penstock/base/limits.hpp"
#include "penstock/base/suite.hpp"

#include "dataplane/control/link_sums.hpp"
#include "dataplane/session/session_table.hpp"

namespace penstock::dataplane {
namespace {

using ipc::InstallResult;
using ipc::InstallSession;

FrameShape shape_of(const InstallSession& message) {
  return {.size = message.frame_size, .tag = message.tag};
}

bool is_lane_count(std::uint16_t lanes) { return lanes >= 1 && lanes <= limits::max_lanes; }
// A base leaves the lane's bits free, and no SPI is 0.
bool is_spi_base(std::uint32_t base) { return base != 0 && Spi{base}.lane() == 0; }

bool is_shape(const InstallSession& message, Protection protection, std::uint16_t max_frame_size) {
  return message.frame_size >= limits::min_frame_size && message.frame_size <= max_frame_size &&
         message.tag == fit_tag(protection, message.tag);
}

// A mode that promises a rhythm has a rate.
bool is_shaping(const ipc::Shaping& shaping) {
  if (shaping.mode > ShapeMode::quantized || shaping.priority > PriorityBy::vlan ||
      shaping.dscp > 63 || shaping.steps < 1 || shaping.steps > Shape::max_steps)
    return false;
  if (!shaping.is_paced()) return shaping.mode == ShapeMode::burst;
  const unsigned steps = shaping.mode == ShapeMode::quantized ? shaping.steps : 1;
  const auto rates = std::span{shaping.rates}.first(steps);
  return std::ranges::is_sorted(rates, std::ranges::less_equal{}) &&
         (shaping.adapts == 0 || shaping.least_rate <= rates.back());
}

bool is_zero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{}; });
}

// Whether a lane in use lacks a key that its protection has: a controller that forgot to derive.
bool lacks_key(std::span<const ipc::LaneKeys> lanes, Protection protection) {
  const ProtectionTraits& row = traits(protection);
  return std::ranges::any_of(lanes, [&row](const ipc::LaneKeys& keys) {
    return (row.encrypt_key != 0 && is_zero(Bytes{keys.encrypt}.first(row.encrypt_key))) ||
           (row.mac_key != 0 && is_zero(Bytes{keys.mac}.first(row.mac_key)));
  });
}

ExpandedKeys expand(const FrameEngine& engine, const InstallSession& message,
                    const ipc::LaneKeys& keys) {
  const Protection protection = suite_from_code(message.suite)->protection;
  return engine.expand(protection, shape_of(message), EncryptKey{std::span{keys.encrypt}},
                       MacKey{std::span{keys.mac}});
}

// Cut where adding it to a clock could overflow.
Time to_age(std::uint64_t nanoseconds) {
  constexpr Time longest = std::chrono::years{100};
  return Time{
      static_cast<Time::rep>(std::min(nanoseconds, static_cast<std::uint64_t>(longest.count())))};
}

// Lanes leave from ports of their own, so that networks spread them; but behind a NAT each of
// them would have to be kept open, and only one leads back to the site's own port.
std::uint16_t source_port(const InstallSession& message, const WireIdentity& self,
                          std::size_t lane) {
  if (message.uses_one_port != 0) return self.endpoint.port;
  return static_cast<std::uint16_t>(self.endpoint.port + lane);
}

// A rate of the link is that of its lanes together.
std::uint64_t part_of(std::uint64_t rate, unsigned lane, unsigned lanes) {
  return rate == 0 ? 0 : std::max<std::uint64_t>((rate + lanes - 1 - lane) / lanes, 1);
}

ipc::Shaping of_lane(ipc::Shaping shaping, unsigned lane, unsigned lanes) {
  for (std::uint64_t& rate : shaping.rates) rate = part_of(rate, lane, lanes);
  shaping.least_rate = part_of(shaping.least_rate, lane, lanes);
  return shaping;
}

}  // namespace

std::expected<SessionRecord*, InstallResult> SessionDirectory::install(
    const InstallSession& message, Time now) {
  const InstallResult verdict = judge(message);
  if (verdict != InstallResult::installed) return std::unexpected{verdict};
  seen_.insert(message.session_id);
  ++installed_;

  auto record = std::make_unique<SessionRecord>();
  record->info = {.session_id = message.session_id,
                  .link = message.link,
                  .local_spi_base = message.local_spi_base,
                  .remote_spi_base = message.remote_spi_base,
                  .role = message.role,
                  .suite = message.suite,
                  .frame_size = message.frame_size,
                  .lanes_out = message.lanes_out,
                  .lanes_in = message.lanes_in,
                  .tag = message.tag,
                  .peer_takes_offload = message.peer_takes_offload,
                  .shaping = message.shaping.mode,
                  .peer = message.peer,
                  .peer_name = message.peer_name};
  record->installed_at = now;
  record->probes = probing::ProbeSas::make(message);
  record->next_hop = *hops_.towards(ipc::from_wire(message.peer).address);
  hops_.pin(record->next_hop, now);
  record->place = records_.size();
  for (std::size_t worker = 0; worker < setup_.held.size(); ++worker) {
    record->shares.push_back(make_share(message, worker, now));
    record->shares.back()->record = record.get();
  }
  by_id_.emplace(message.session_id, record.get());
  by_slot_[Spi{message.local_spi_base}.slot()] = record.get();
  return records_.emplace_back(std::move(record)).get();
}

InstallResult SessionDirectory::judge(const InstallSession& message) const {
  if (message.boot_id != setup_.boot_id) return InstallResult::wrong_boot;
  if (seen_.contains(message.session_id)) return InstallResult::seen_before;
  const auto suite = suite_from_code(message.suite);
  if (message.link >= limits::max_links || message.vlan > VlanMap::max_vlan || !suite ||
      !is_lane_count(message.lanes_in) || !is_lane_count(message.lanes_out) ||
      !is_spi_base(message.local_spi_base) || !is_spi_base(message.remote_spi_base) ||
      message.role > ipc::Role::responder || !is_shaping(message.shaping) ||
      !is_shape(message, suite->protection, setup_.max_frame_size) || message.peer.port == 0 ||
      (suite->protection == Protection::none && !setup_.lab) ||
      lacks_key(std::span{message.out}.first(message.lanes_out), suite->protection) ||
      lacks_key(std::span{message.in}.first(message.lanes_in), suite->protection) ||
      !hops_.towards(ipc::from_wire(message.peer).address))
    return InstallResult::bad_parameters;
  const Spi base{message.local_spi_base};
  if (by_slot_[base.slot()] != nullptr) return InstallResult::slot_taken;
  if (records_.size() >= SessionTable::capacity) return InstallResult::no_memory;
  return InstallResult::installed;
}

std::unique_ptr<Session> SessionDirectory::make_share(const InstallSession& message,
                                                      std::size_t worker, Time now) {
  auto session = std::make_unique<Session>();
  session->id = message.session_id;
  session->link = message.link;
  session->role = message.role;
  session->local_spi_base = Spi{message.local_spi_base};
  session->roams = message.roams != 0;
  session->order = installed_;
  session->is_shared = setup_.held.size() > 1;
  session->awaits_begin = session->is_shared;
  session->installed_at = now;
  session->max_age = to_age(message.max_age_ns);
  session->hold = to_age(message.hold_ns);
  session->dead_after = to_age(message.dead_after_ns);
  session->vlan = message.vlan;
  session->peer_name = message.peer_name;

  const Seat seat{static_cast<unsigned>(worker), static_cast<unsigned>(setup_.held.size())};
  session->lanes_out =
      static_cast<std::uint16_t>(std::min<unsigned>(message.lanes_out, seat.count));
  const Endpoint peer = ipc::from_wire(message.peer);
  session->next_hop = *hops_.towards(peer.address);
  const auto mac = hops_.find(session->next_hop, now);
  session->route = {.source_mac = setup_.self.mac,
                    .destination_mac = mac.value_or(MacAddress{}),
                    .source = {.address = setup_.self.endpoint.address,
                               .port = source_port(message, setup_.self, worker)},
                    .destination = peer,
                    .traffic_class = traffic_class(message.shaping.dscp, message.shaping.ecn != 0)};
  if (worker < message.lanes_out) give_outbound(*session, message, seat, now);
  give_inbound(*session, message, seat);
  return session;
}

void SessionDirectory::give_outbound(Session& session, const InstallSession& message, Seat seat,
                                     Time now) {
  OutboundSa& out = session.out.emplace(
      SealKeys{expand(engine_, message, message.out[seat.index]),
               Spi{message.remote_spi_base + static_cast<std::uint32_t>(seat.index)}});
  const limits::SaLimits& suite = out.keys.limits();
  if (message.rekey_frames != 0)
    out.keys.lower_limits(std::min(message.rekey_frames, suite.rekey_frames), suite.hard_frames);
  out.has_next_hop = session.route.destination_mac != MacAddress{};
  out.outer = make_outer_header(session.route, message.frame_size);
  // A steady rhythm says nothing of what is inside, and nor may its headers.
  out.copies_dscp = message.shaping.copies_dscp != 0 && message.shaping.mode == ShapeMode::burst;
  session.shaping = of_lane(message.shaping, seat.index, session.lanes_out);
  if (session.shaping.is_paced()) session.lane = &lane(session, seat.index, now);
}

void SessionDirectory::give_inbound(Session& session, const InstallSession& message, Seat seat) {
  const bool is_reported = message.shaping.is_paced() && message.shaping.mode != ShapeMode::burst;
  session.in.reserve((message.lanes_in + seat.count - 1) / seat.count);
  for (unsigned lane = seat.index; lane < message.lanes_in; lane += seat.count) {
    InboundSa& in =
        session.in.emplace_back(expand(engine_, message, message.in[lane]),
                                Spi{message.local_spi_base + lane}, *setup_.held[seat.index]);
    in.is_reported = is_reported;
    in.is_followed = lane == 0 && session.roams;
  }
  session.receives = !session.in.empty();
  if (message.lanes_in > 1) session.ears = std::vector<LaneEar>(session.in.size());
}

LinkLane& SessionDirectory::lane(const Session& session, std::size_t worker, Time now) {
  auto& lane = lanes_[{session.link, worker}];
  if (lane == nullptr) {
    // Where in an interval its ticks stand is for all to see on the wire, but foretold by nobody.
    // Those of the link's lanes are evenly apart.
    std::uint64_t phase = 0;
    std::memcpy(&phase, session.id.data() + sizeof phase, sizeof phase);
    phase += worker * (~std::uint64_t{0} / session.lanes_out);
    lane = std::make_unique<LinkLane>(session.link, session.shaping, phase, now);
  }
  return *lane;
}

std::uint32_t SessionDirectory::stopped_ppm(std::uint32_t link) const {
  std::uint32_t worst = 0;
  for (auto at = lanes_.lower_bound({link, 0}); at != lanes_.end() && at->first.first == link; ++at)
    worst = std::max(worst, at->second->stopped_ppm.load(std::memory_order_relaxed));
  return worst;
}

std::vector<ipc::LinkStats> SessionDirectory::link_stats() const {
  std::vector<ipc::LinkStats> all;
  for (const auto& [of, lane] : lanes_) {
    const ipc::LinkStats stats = lane->published.read();
    if (!all.empty() && all.back().link == of.first) {
      add_lane(all.back(), stats);
      continue;
    }
    all.push_back(stats);
    all.back().header.type = ipc::LinkStats::type;
    all.back().link = of.first;
  }
  return all;
}

void SessionDirectory::erase(const SessionRecord& record) {
  hops_.unpin(record.next_hop);
  const std::size_t place = record.place;
  by_id_.erase(record.info.session_id);
  by_slot_[Spi{record.info.local_spi_base}.slot()] = nullptr;
  std::swap(records_[place], records_.back());
  records_[place]->place = place;
  records_.pop_back();
}

SessionRecord* SessionDirectory::find(const ipc::SessionId& id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

SessionRecord* SessionDirectory::find(Spi local_spi) {
  SessionRecord* record = by_slot_[local_spi.slot()];
  if (record == nullptr || record->info.local_spi_base != local_spi.base().value) return nullptr;
  return record;
}

ipc::SessionInfo describe(const SessionRecord& record, Time now) {
  ipc::SessionInfo info = record.info;
  info.is_silent = record.is_silent ? 1 : 0;
  info.silent_lanes = record.lanes.silent;
  std::int64_t last_good = 0;
  for (const auto& share : record.shares) {
    const SessionProgress& progress = share->progress;
    info.state = std::max(info.state, progress.state.load(std::memory_order_relaxed));
    info.frames_sealed += progress.frames_sealed.load(std::memory_order_relaxed);
    info.frames_opened += progress.frames_opened.load(std::memory_order_relaxed);
    info.failed_opens += progress.failed_opens.load(std::memory_order_relaxed);
    last_good = std::max(last_good, progress.last_good.load(std::memory_order_relaxed));
  }
  const Time since_good = last_good == 0 ? now - record.installed_at : now - Time{last_good};
  info.age_ns = static_cast<std::uint64_t>((now - record.installed_at).count());
  info.idle_ns = static_cast<std::uint64_t>(std::max(since_good, Time{}).count());
  return info;
}

}  // namespace penstock::dataplane
