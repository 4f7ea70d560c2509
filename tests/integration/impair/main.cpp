// penstock-impair INTERFACE INTERFACE SEED: a bad path between two interfaces. Says `ready`, then
// does what the lines of its standard input say (command.hpp) until that ends. The kernel must
// not forward between the two itself.
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "command.hpp"
#include "path.hpp"
#include "port.hpp"

namespace {

using namespace impair;
using Clock = std::chrono::steady_clock;

Time now() { return Clock::now().time_since_epoch(); }

// One direction: from a port to the other.
struct Direction {
  Path path;
  Port* from;
  Port* to;
  PortTally tally;

  void take() {
    for (PacketPtr& packet : from->receive()) path.arrive(std::move(packet), now());
  }
  void give() {
    for (;;) {
      std::vector<PacketPtr> due;
      while (due.size() < Port::batch) {
        auto packet = path.depart(now());
        if (!packet) break;
        due.push_back(std::move(packet));
      }
      if (due.empty()) return;
      const auto taken = to->send(due);
      tally.delivered += taken;
      tally.refused += due.size() - taken;
    }
  }
  std::string counters() {
    tally.kernel_dropped = from->kernel_dropped();
    return to_json(path, tally);
  }
};

using Both = std::array<Direction, 2>;  // ab, ba

std::string answer(std::string_view line, Both& both) {
  if (line == "counters")
    return "{\"ab\": " + both[0].counters() + ", \"ba\": " + both[1].counters() + "}";
  if (!line.starts_with("set ")) return "error: what is '" + std::string{line} + "'?";
  const auto command = parse_set(line);
  if (!command) return "error: " + command.error();
  if (command->directions != Directions::ba) both[0].path.set(command->settings);
  if (command->directions != Directions::ab) both[1].path.set(command->settings);
  return "ok";
}

// False when nobody will say anything any more.
bool hear(std::string& rest, Both& both) {
  std::array<char, 4096> text;
  const auto size = ::read(STDIN_FILENO, text.data(), text.size());
  if (size <= 0) return false;
  rest.append(text.data(), static_cast<std::size_t>(size));
  for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
    std::puts(answer(std::string_view{rest}.substr(0, end), both).c_str());
    rest.erase(0, end + 1);
  }
  std::fflush(stdout);
  return true;
}

timespec until_due(const Both& both) {
  Time left = std::chrono::seconds{1};
  for (const Direction& direction : both)
    if (const auto due = direction.path.next_due())
      left = std::min(left, std::max(*due - now(), Time{0}));
  return {.tv_sec = left.count() / 1'000'000'000, .tv_nsec = left.count() % 1'000'000'000};
}

void run(Port& first, Port& second, std::uint64_t seed) {
  Both both{Direction{Path{2 * seed}, &first, &second, {}},
            Direction{Path{2 * seed + 1}, &second, &first, {}}};
  std::string rest;
  std::array<pollfd, 3> ears{{{first.descriptor(), POLLIN, 0},
                              {second.descriptor(), POLLIN, 0},
                              {STDIN_FILENO, POLLIN, 0}}};
  for (;;) {
    const timespec patience = until_due(both);
    if (::ppoll(ears.data(), ears.size(), &patience, nullptr) < 0) return;
    for (std::size_t i = 0; i < both.size(); ++i) {
      if (ears[i].revents != 0) both[i].take();
      both[i].give();
    }
    if (ears[2].revents != 0 && !hear(rest, both)) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: penstock-impair INTERFACE INTERFACE SEED\n", stderr);
    return 2;
  }
  try {
    ::prctl(PR_SET_TIMERSLACK, 1);
    Port first{argv[1]};
    Port second{argv[2]};
    std::puts("ready");
    std::fflush(stdout);
    run(first, second, std::strtoull(argv[3], nullptr, 10));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "penstock-impair: %s\n", error.what());
    return 1;
  }
}
