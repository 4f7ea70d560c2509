#include "controlplane/pipe/service.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <ctime>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/log.hpp"

#include "controlplane/pipe/daemon.hpp"
#include "controlplane/pipe/opened.hpp"
#include "controlplane/pipe/server.hpp"

namespace penstock::controlplane::pipe {
namespace {

using namespace std::chrono_literals;

constexpr int all_have_ended = SIGUSR2;  // from us to ourselves
// What comes so soon after an order to stop is the same order: timeout(1) sends it twice.
constexpr auto one_order = 1s;

void log_counts(const Server& server) {
  const auto counts = server.counts();
  std::string ends;
  for (std::size_t number = 0; number < counts.ends.size(); ++number)
    if (counts.ends[number] > 0)
      ends += fmt::format("; {}: {}", to_string(static_cast<End>(number)), counts.ends[number]);
  log::info(fmt::format("{} connections taken, {} alive{}", counts.accepted, counts.living, ends));
}

sigset_t signals_to_wait_for() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGUSR1);
  ::sigaddset(&signals, all_have_ended);
  return signals;
}

// In a container the first process has no default for signals.
void end_at_once_as_init() {
  if (::getpid() != 1) return;
  for (const int number : {SIGINT, SIGTERM}) ::signal(number, [](int) { ::_exit(0); });
}

// From here on a stop is graceful: connections may already wait at the socket.
Result<UniqueFd> listen(const Options& options, const Opened& opened) {
  const sigset_t signals = signals_to_wait_for();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return listen_at(opened.places.source, !options.site_pipe.empty());
}

// As who had not asked for it.
void end_at_once_by(int number) {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, number);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  ::raise(number);
}

// Until the last connection has ended after an order to stop. They may take as long as they like;
// they can be counted meanwhile.
void obey(Server& server) {
  using Clock = std::chrono::steady_clock;
  const sigset_t signals = signals_to_wait_for();
  std::optional<Clock::time_point> stopped;
  int number = 0;
  while (::sigwait(&signals, &number) == 0 && !(stopped && number == all_have_ended)) {
    if (number == SIGTERM && !stopped) {
      stopped = Clock::now();
      server.stop();
      continue;
    }
    if (number == SIGTERM && Clock::now() - *stopped <= one_order) continue;
    log_counts(server);
    if (number == SIGTERM) end_at_once_by(SIGTERM);
  }
}

Result<void> serve(const Options& options, UniqueFd listener, Opened& opened) {
  Targets targets;
  targets.replace(std::move(opened.places.targets));
  Server server{options.settings, std::move(listener), *opened.key,
                targets,          *opened.plan,        opened.places.bind_from};
  if (auto started = server.start(); !started) return started;
  if (auto name = name_to_refresh(options))
    opened.resolver.keep_fresh(std::move(*name), options.resolve_every, targets);
  // Now, and not at the end: there may be no thread to be had then.
  std::thread last{[&server, waiting = ::pthread_self()] {
    server.join();
    ::pthread_kill(waiting, all_have_ended);
  }};
  obey(server);
  last.join();
  opened.resolver.dismiss();  // before the targets go that it keeps fresh
  log_counts(server);
  return {};
}

Result<void> run(const Options& options, Readiness& readiness) {
  const auto tell = [&] { return readiness.tell(options.pid_file); };
  // Phase 1: open.
  if (options.waits_for_names)
    if (auto told = tell(); !told) return told;
  ::tzset();
  Opened opened;
  if (auto done = open(options, opened); !done) return done;
  auto listener = listen(options, opened);
  if (!listener) return std::unexpected{listener.error()};
  if (!options.waits_for_names)
    if (auto told = tell(); !told) return told;
  if (options.logs_to_syslog) log::to_system("penstock-pipe");
  if (!options.user.empty())
    if (auto changed = change_user(options.user); !changed) return changed;
  if (!name_to_refresh(options)) opened.resolver.dismiss();
  // Phase 2: confine.
  if (auto confined = confine(options, opened); !confined) return confined;
  // Phase 3: run.
  try {
    return serve(options, std::move(*listener), opened);
  } catch (const std::system_error& error) {
    return fail(ErrorKind::system, fmt::format("cannot start a thread: {}; raise the limit on "
                                               "processes (ulimit -u; systemd: TasksMax) or memory",
                                               error.code().message()));
  }
}

int refuse(const Error& error) {
  log::error(error.message);
  return exit_failed;
}

}  // namespace

int run_service(const Options& options) {
  end_at_once_as_init();
  auto readiness = options.is_daemon ? Readiness::go_to_background()
                                     : Result<Readiness>{Readiness::nobody_waits()};
  if (!readiness) return refuse(readiness.error());
  const auto ran = run(options, *readiness);
  return ran ? 0 : refuse(ran.error());  // said before the parent hears of the end
}

}  // namespace penstock::controlplane::pipe
