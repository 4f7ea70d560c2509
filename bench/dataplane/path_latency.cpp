// Through two workers in one thread: one encapsulates, the other takes what it sent. Packets
// arrive by the clock, and how long one takes counts from when it was to arrive (an open loop: who
// is late makes nothing arrive later).
#include <fmt/format.h>

#include "bench/dataplane/path_clocked.hpp"
#include "bench/dataplane/path_maximum.hpp"
#include "bench/dataplane/path_rates.hpp"
#include "penstock/base/check.hpp"

namespace penstock::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using namespace dataplane;

constexpr std::size_t packet_memory = std::size_t{128} << 10;

class Pair {
 public:
  Pair(Lab& lab, Protection protection)
      : one_(lab, 1, plain_one_, wire_one_), two_(lab, 2, plain_two_, wire_two_) {
    wire_one_.link(wire_two_);
    wire_two_.link(wire_one_);
    const auto session = path_session(1, protection);
    const Session& near = one_.install(session);
    const Session& far = two_.install(far_half(session));
    const Time give_up = clock_.now() + 5s;
    while (
        (near.state() != ipc::SessionState::current || far.state() != ipc::SessionState::current) &&
        clock_.now() < give_up)
      turn();
    check(far.state() == ipc::SessionState::current, "two sites confirm a session");
  }

  struct Seen {
    double per_second = 0;
    std::uint64_t lost = 0;
    PathHistogram delays;
  };
  Seen run(const PacketMix& packets, double per_second, milliseconds length) {
    const std::uint64_t lost = plain_one_.arrivals().lost();
    const std::uint64_t delivered = plain_two_.delivered();
    plain_two_.delays() = {};
    plain_one_.offer(packets.make(packet_memory), per_second);
    const Time start = clock_.now();
    while (clock_.now() < start + length)
      for (int i = 0; i < 16; ++i) turn();
    const double seconds = std::chrono::duration<double>(clock_.now() - start).count();
    plain_one_.arrivals().stop();
    Seen seen{.per_second = static_cast<double>(plain_two_.delivered() - delivered) / seconds,
              .lost = plain_one_.arrivals().lost() - lost,
              .delays = plain_two_.delays()};
    for (const Time end = clock_.now() + 5ms; clock_.now() < end;) turn();
    return seen;
  }

 private:
  void turn() {
    one_.worker.turn(clock_.now());
    two_.worker.turn(clock_.now());
  }

  OwnClock clock_;
  ClockedPlain plain_one_{2048, clock_};
  ClockedPlain plain_two_{2048, clock_};
  LinkedWire wire_one_;
  LinkedWire wire_two_;
  Site one_;
  Site two_;
};

std::vector<PathRow> run_latency(Lab& lab, const PathLoad& load, const std::string& name,
                                 milliseconds budget) {
  Pair pair{lab, load.protection};
  const PathMaximum most = find_maximum(pair, load.packets, budget / 16);
  std::vector<PathRow> rows;
  for (const int percent : {10, 50, 90}) {
    const auto seen = pair.run(load.packets, most.per_second * percent / 100, budget);
    PathRow row = clocked_row(fmt::format("{}/{}%", name, percent), load, seen.per_second, most);
    row.direction.reset();
    row.more = {{"load_percent", percent},         {"p50_us", seen.delays.at(0.5)},
                {"p99_us", seen.delays.at(0.99)},  {"p99_9_us", seen.delays.at(0.999)},
                {"worst_us", seen.delays.worst()}, {"lost", static_cast<double>(seen.lost)}};
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

void add_latency(std::vector<PathTrial>& trials) {
  for (const Protection protection : clocked_suites) {
    const PathLoad load{.protection = protection};
    const std::string name = fmt::format("latency/{}", to_string(protection));
    trials.push_back({name, [=](Lab& lab, milliseconds budget) {
                        return run_latency(lab, load, name, budget);
                      }});
  }
}

}  // namespace penstock::bench
