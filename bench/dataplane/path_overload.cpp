// More than a worker can carry: the port's ring loses the rest and counts it, and what is not
// traffic is served all the same. In the worker's thread a command is written every few
// milliseconds, and ARP comes from the wire as often, by the clock; the delays are until it was
// obeyed, and until the main core has the packet. Outbound the wire is idle otherwise; inbound ARP
// comes among the frames, and its ring loses as large a part of it as of them.
#include <fmt/format.h>

#include "bench/dataplane/path_flood.hpp"
#include "bench/dataplane/path_maximum.hpp"
#include "bench/dataplane/path_rates.hpp"
#include "penstock/base/check.hpp"

namespace penstock::bench {
namespace {

using std::chrono::milliseconds;
using namespace dataplane;

constexpr std::size_t packet_memory = std::size_t{128} << 10;
constexpr Time between = milliseconds{4};  // fewer than the rate at which ARP may go up

struct Seen {
  double per_second = 0;  // taken, as they arrive: packets, or frames
  std::uint64_t lost = 0;
  PathHistogram commands;
  PathHistogram punts;
  Counters counters;
  double packets = 0;  // a second
};

class Flooded {
 public:
  Flooded(Lab& lab, const PathLoad& load)
      : lab_(lab),
        is_out_(load.direction == PathDirection::encap),
        arrivals_(is_out_ ? plain_.arrivals() : wire_.arrivals()),
        session_(path_session(1, load.protection)),
        far_(lab, session_, load),
        site_(lab, 1, plain_, wire_) {
    const Session& share = site_.install(session_);
    rte_mbuf* frame = rte_pktmbuf_alloc(lab.frames());
    check(frame != nullptr, "a buffer for a frame");
    far_.seal(std::span{&frame, 1});
    wire_.bring(std::span{&frame, 1});
    site_.worker.turn(clock_.now());
    check(share.state() == ipc::SessionState::current, "a good frame confirms a session");
  }

  Seen run(const PacketMix& packets, double per_second, milliseconds length) {
    Seen seen;
    const std::uint64_t taken = arrivals_.taken();
    const std::uint64_t lost = arrivals_.lost();
    const std::uint64_t carried = carried_packets();
    const Counters before = site_.worker.counters();
    if (is_out_)
      plain_.offer(packets.make(packet_memory), per_second);
    else
      wire_.offer(far_, per_second, between);
    const Time start = clock_.now();
    Time asked = start;
    Time now = start;
    for (Time due = start; now < start + length; now = clock_.now()) {
      if (now >= due) {
        asked = due;
        due += between * (1 + (now - due) / between);
        ask(asked);
      }
      site_.worker.turn(now);
      hear(seen, asked);
    }
    const double seconds = std::chrono::duration<double>(now - start).count();
    seen.per_second = static_cast<double>(arrivals_.taken() - taken) / seconds;
    seen.packets = static_cast<double>(carried_packets() - carried) / seconds;
    arrivals_.stop();
    seen.lost = arrivals_.lost() - lost;
    for (const Time end = now + milliseconds{300}; now < end; now = clock_.now()) {
      site_.worker.turn(now);  // until the port's own count was read
      hear(seen, asked);
    }
    seen.counters = since(before);
    return seen;
  }

 private:
  [[nodiscard]] std::uint64_t carried_packets() const {
    return is_out_ ? arrivals_.taken() : plain_.delivered();
  }
  void ask(Time now) {
    if (is_out_) {
      rte_mbuf* arp = make_arp(lab_.frames(), now);
      wire_.bring(std::span{&arp, 1});
    }
    check(site_.mailbox.commands.push({.kind = Command::Kind::next_hop}), "room for a command");
    is_asked_ = true;
  }
  void hear(Seen& seen, Time asked) {
    if (is_asked_ && site_.mailbox.commands.empty()) {
      seen.commands.record(clock_.now() - asked);
      is_asked_ = false;
    }
    while (const auto punted = site_.mailbox.punts.pop()) {
      seen.punts.record(clock_.now() - stamp_in_arp(punted->packet));
      rte_pktmbuf_free(punted->packet);
    }
  }
  [[nodiscard]] Counters since(const Counters& before) const {
    Counters counters = site_.worker.counters();
    check(unbalanced_book(counters).empty(), "the books balance under overload");
    std::ranges::transform(counters.drops, before.drops, counters.drops.begin(), std::minus{});
    return counters;
  }

  Lab& lab_;
  OwnClock clock_;
  ClockedPlain plain_{2048, clock_};
  ClockedWire wire_{lab_.frames(), clock_};
  bool is_out_;
  Arrivals& arrivals_;
  ipc::InstallSession session_;
  FarSide far_;
  Site site_;
  bool is_asked_ = false;
};

std::vector<PathRow> run_overload(Lab& lab, const PathLoad& load, const std::string& name,
                                  milliseconds budget) {
  Flooded worker{lab, load};
  const PathMaximum maximum = find_maximum(worker, load.packets, budget / 16);
  const double most = maximum.per_second;
  std::vector<PathRow> rows;
  for (const int times : {1, 2, 10}) {
    const Seen seen = worker.run(load.packets, most * times, budget);
    PathRow row = clocked_row(fmt::format("{}/x{}", name, times), load, seen.packets, maximum);
    row.more = {{"offered_mpps", most * times * seen.packets / seen.per_second / 1e6},
                {"command_p50_us", seen.commands.at(0.5)},
                {"command_worst_us", seen.commands.worst()},
                {"punt_p50_us", seen.punts.at(0.5)},
                {"punt_worst_us", seen.punts.worst()},
                {"punts", static_cast<double>(seen.punts.count())},
                {"punts_offered", static_cast<double>(budget / between)}};
    for (std::size_t i = 0; i < drop_reason_count; ++i)
      if (const auto count = seen.counters.drops[i]; count != 0)
        row.more.emplace_back(info(static_cast<DropReason>(i)).name, static_cast<double>(count));
    if (times > 1)
      row.goals = {{.of = "of the maximum",
                    .value = seen.per_second / most,
                    .bound = 0.95,
                    .is_void = !maximum.is_lossless}};
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

void add_overload(std::vector<PathTrial>& trials) {
  for (const auto direction : {PathDirection::encap, PathDirection::decap})
    for (const Protection protection : clocked_suites) {
      const PathLoad load{protection, direction, {}};
      const std::string name =
          fmt::format("overload/{}/{}", to_string(direction), to_string(protection));
      trials.push_back({name, [=](Lab& lab, milliseconds budget) {
                          return run_overload(lab, load, name, budget);
                        }});
    }
}

}  // namespace penstock::bench
