// One party of a load on pipes, over TCP on 127.0.0.1; scripts/bench pipe starts them.
//   pipe-load sink|echo PORT                       what pipes lead to
//   pipe-load relay PORT TARGET                    what copies, and does nothing else
//   pipe-load push PORT CONNECTIONS SECONDS        the users of a pipe: servers.hpp, clients.hpp
//   pipe-load ask PORT SECONDS
//   pipe-load reconnect PORT PARALLEL SECONDS
//   pipe-load hold PORT CONNECTIONS
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/pipe_load/clients.hpp"
#include "tests/integration/pipe_load/servers.hpp"

namespace penstock::load {
namespace {

// Every connection of the largest load, and the largest number that the kernel may grant.
void allow_many_files() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int run(std::string_view mode, const std::vector<double>& numbers) {
  const auto whole = [&](std::size_t i) { return static_cast<std::size_t>(numbers.at(i)); };
  const auto port = [&](std::size_t i) { return static_cast<Port>(numbers.at(i)); };
  const auto seconds = [&](std::size_t i) { return Seconds{numbers.at(i)}; };
  if (mode == "sink") run_sink(port(0));
  if (mode == "echo") run_echo(port(0));
  if (mode == "relay") run_relay(port(0), port(1));
  if (mode == "push") return push(port(0), whole(1), seconds(2)), 0;
  if (mode == "ask") return ask(port(0), seconds(1)), 0;
  if (mode == "reconnect") return reconnect(port(0), whole(1), seconds(2)), 0;
  if (mode == "hold") return hold(port(0), whole(1)), 0;
  std::fputs("pipe-load: no such mode; its source names them\n", stderr);
  return 2;
}

}  // namespace
}  // namespace penstock::load

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  std::vector<double> numbers;
  for (std::size_t i = 1; i < words.size(); ++i) numbers.push_back(std::stod(words[i]));
  penstock::load::allow_many_files();
  return penstock::load::run(words.empty() ? "" : words[0], numbers);
}
