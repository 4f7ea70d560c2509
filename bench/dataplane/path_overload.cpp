// More than a worker can carry: the port's ring loses the rest and counts it, and what is not
// traffic is served all the same. In the worker's thread a command is written and ARP comes from
// the wire every few milliseconds, by the clock; the delays are until it was obeyed, and until the
// main core has the packet.
#include <cstring>

#include <fmt/format.h>

#include "bench/dataplane/path_clocked.hpp"
#include "bench/dataplane/path_maximum.hpp"
#include "bench/dataplane/path_rates.hpp"
#include "penstock/base/check.hpp"
#include "penstock/wire/outer.hpp"

namespace penstock::bench {
namespace {

using std::chrono::milliseconds;
using namespace dataplane;

constexpr std::size_t packet_memory = std::size_t{128} << 10;
constexpr Time between = milliseconds{4};  // fewer than the rate at which ARP may go up

rte_mbuf* make_arp(rte_mempool* pool) {
  rte_mbuf* buffer = rte_pktmbuf_alloc(pool);
  check(buffer != nullptr, "a buffer for ARP");
  auto* const at = reinterpret_cast<std::byte*>(rte_pktmbuf_append(buffer, 60));
  std::memset(at, 0, 60);
  std::memset(at, 0xff, 6);
  store_be16(at + 12, ethertype_arp);
  const Bytes target = identity(1).endpoint.address.view();
  std::memcpy(at + ethernet_header + 24, target.data(), target.size());
  return buffer;
}

struct Seen {
  double per_second = 0;
  std::uint64_t lost = 0;
  PathHistogram commands;
  PathHistogram punts;
  Counters counters;
};

class Flooded {
 public:
  Flooded(Lab& lab, Protection protection) : lab_(lab), site_(lab, 1, plain_, wire_) {
    const auto session = path_session(1, protection);
    const Session& share = site_.install(session);
    confirm(lab, site_, wire_, session);
    check(share.state() == ipc::SessionState::current, "a good frame confirms a session");
  }

  Seen run(const PacketMix& packets, double per_second, milliseconds length) {
    Seen seen;
    const std::uint64_t taken = plain_.taken();
    const std::uint64_t lost = plain_.lost();
    plain_.offer(packets.make(packet_memory), per_second);
    const Time start = clock_.now();
    Time asked = start;
    Time now = start;
    for (Time due = start; now < start + length; now = clock_.now()) {
      if (now >= due) {
        asked = due;
        due += between * (1 + (now - due) / between);
        ask();
      }
      site_.worker.turn(now);
      hear(seen, asked);
    }
    seen.per_second = static_cast<double>(plain_.taken() - taken) /
                      std::chrono::duration<double>(now - start).count();
    plain_.stop();
    seen.lost = plain_.lost() - lost;
    for (const Time end = now + milliseconds{300}; now < end; now = clock_.now())
      site_.worker.turn(now);  // until the port's own count was read
    seen.counters = site_.worker.counters();
    return seen;
  }

 private:
  void ask() {
    rte_mbuf* arp = make_arp(lab_.frames());
    wire_.bring(std::span{&arp, 1});
    check(site_.mailbox.commands.push({.kind = Command::Kind::next_hop}), "room for a command");
    is_asked_ = true;
  }
  void hear(Seen& seen, Time asked) {
    if (is_asked_ && site_.mailbox.commands.empty()) {
      seen.commands.record(clock_.now() - asked);
      is_asked_ = false;
    }
    while (const auto punted = site_.mailbox.punts.pop()) {
      seen.punts.record(clock_.now() - asked);
      rte_pktmbuf_free(punted->packet);
    }
  }

  Lab& lab_;
  OwnClock clock_;
  ClockedPlain plain_{2048, clock_};
  WireEnd wire_;
  Site site_;
  bool is_asked_ = false;
};

std::vector<PathRow> run_overload(Lab& lab, Protection protection, const std::string& name,
                                  milliseconds budget) {
  Flooded worker{lab, protection};
  const PacketMix packets{0};
  const PathMaximum maximum = find_maximum(worker, packets, budget / 16);
  const double most = maximum.per_second;
  std::vector<PathRow> rows;
  for (const int times : {1, 2, 10}) {
    const Seen seen = worker.run(packets, most * times, budget);
    PathRow row{.name = fmt::format("{}/x{}", name, times),
                .suite = protection,
                .direction = PathDirection::encap,
                .packets = packets,
                .workers = 1,
                .sessions = 1,
                .mpps = seen.per_second / 1e6,
                .more = {{"offered_mpps", most * times / 1e6},
                         {"plain_kernel_drop", static_cast<double>(seen.lost)},
                         {"command_p50_us", seen.commands.at(0.5)},
                         {"command_worst_us", seen.commands.worst()},
                         {"punt_p50_us", seen.punts.at(0.5)},
                         {"punt_worst_us", seen.punts.worst()},
                         {"punts", static_cast<double>(seen.punts.count())}},
                .caveat = maximum.caveat()};
    const std::string unbalanced{unbalanced_book(seen.counters)};
    check(unbalanced.empty(), "the books balance under overload");
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
  for (const Protection protection : {Protection::aes256_ctr_sha256, Protection::aes256_gcm}) {
    const std::string name = fmt::format("overload/{}", to_string(protection));
    trials.push_back({name, [=](Lab& lab, milliseconds budget) {
                        return run_overload(lab, protection, name, budget);
                      }});
  }
}

}  // namespace penstock::bench
