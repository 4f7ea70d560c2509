// spipe: connect, then one pipe of standard input and output.
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/log.hpp"

#include "controlplane/pipe/dial.hpp"
#include "controlplane/pipe/opened.hpp"
#include "controlplane/pipe/server.hpp"
#include "controlplane/pipe/service.hpp"

namespace penstock::controlplane::pipe {
namespace {

using std::chrono::steady_clock;

Result<UniqueFd> connect(const Options& options, const Places& places) {
  Targets targets;
  targets.replace(places.targets);
  const auto deadline = steady_clock::now() + options.settings.timeout;
  Dial dial{targets.get(), places.bind_from};
  auto state = dial.start();
  while (state == Dial::State::waiting) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    pollfd answer{.fd = dial.socket(), .events = POLLOUT, .revents = 0};
    if (left.count() <= 0 || ::poll(&answer, 1, static_cast<int>(left.count())) == 0) break;
    state = dial.next();
  }
  if (state != Dial::State::connected)
    return fail(ErrorKind::missing,
                fmt::format("cannot connect to {}: {}", options.target, dial.describe()));
  return dial.take();
}

Result<void> run(const Options& options) {
  Opened opened;
  if (auto done = open(options, opened); !done) return done;
  opened.resolver.dismiss();
  auto connected = connect(options, opened.places);
  if (!connected) return std::unexpected{connected.error()};
  const int keeps_alive = options.settings.keeps_alive ? 1 : 0;
  ::setsockopt(connected->get(), SOL_SOCKET, SO_KEEPALIVE, &keeps_alive, sizeof keeps_alive);
  if (auto confined = confine(options, opened); !confined) return confined;
  const auto end = run_stdio(options.settings, std::move(*connected), *opened.key, *opened.plan);
  if (!end) return std::unexpected{end.error()};
  if (*end == End::finished) return {};
  return fail(ErrorKind::protocol, std::string{to_string(*end)});
}

}  // namespace

int run_on_stdio(const Options& options) {
  const auto ran = run(options);
  if (ran) return 0;
  log::error(ran.error().message);
  return exit_failed;
}

}  // namespace penstock::controlplane::pipe
