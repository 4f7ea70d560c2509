#include "controlplane/pipe/usage.hpp"

#include <fmt/format.h>

namespace penstock::controlplane::pipe {
namespace {

constexpr std::string_view server_usage =
    "{-e | -d} -s <source socket> -t <target socket> -k <key file>\n"
    "    [-DFj] [-b <bind address>] [-f | -g] [-n <max # connections>]\n"
    "    [-o <connection timeout>] [-p <pidfile>] [-r <rtime> | -R] [--syslog]\n"
    "    [-u <username> | <:groupname> | <username:groupname>]\n";
constexpr std::string_view stdio_usage = "-t <target socket> -k <key file> [-b <bind address>]\n"
                                         "    [-f | -g] [-j] [-o <connection timeout>]\n";

constexpr std::string_view options_help = R"(
An encrypted, authenticated pipe between two sockets, by spiped's protocol: the far end may be
spiped, spipe or penstock pipe.

Which way:
  -e             take plain connections from the source, send encrypted ones to the target
  -d             take encrypted connections from the source, send plain ones to the target
  --stdio        one pipe: what comes on standard input goes encrypted to the target, and what
                 comes back to standard output (ssh: ProxyCommand)

Sockets are /path/of/unix/socket, host.name:port, [192.0.2.1]:port or [2001:db8::1]:port:
  -s SOCKET      source: where connections are taken
  -t SOCKET      target: where connections are made to; a name's addresses are tried in order
  -b ADDRESS     the address that connections to the target come from

The key, and how connections begin:
  -k FILE        key file, the same at both ends; "-": from standard input
  -f             no Diffie-Hellman here: fast, and without forward secrecy
  -g             drop connections whose far end uses -f
  -o SECONDS     for connecting to the target, and for the handshake: 5
  -n NUMBER      connections at one time: 100; 0: as many as open files allow
  -j             no TCP keep-alives

Names:
  -r SECONDS     look the target's name up again every so often: 60
  -R             look it up once
  -D             go to the background first, and try until names can be looked up

As a service:
  -F             stay in the foreground
  -p FILE        where the daemon's process ID goes: SOURCE.pid; none with -F
  -u USER        or :GROUP or USER:GROUP: become it once the source is bound
  --syslog       once in the background, log there instead of standard error
  -v             print the version

Exit code 0 when it is ready (without -F), or has ended as asked, 1 where something is wrong.
SIGTERM: no new connections, the end when the last has ended; a second one: the end at once.
SIGUSR1: log what was counted.
)";

}  // namespace

std::string_view to_string(Dialect dialect) {
  switch (dialect) {
    case Dialect::spiped:
      return "spiped";
    case Dialect::spipe:
      return "spipe";
    case Dialect::penstock_pipe:
      break;
  }
  return "penstock pipe";
}

std::string usage(Dialect dialect) {
  const std::string_view name = to_string(dialect);
  std::string text =
      fmt::format("usage: {} {}", name, dialect == Dialect::spipe ? stdio_usage : server_usage);
  if (dialect == Dialect::penstock_pipe)
    text += fmt::format("       {} --stdio {}       {} --help\n", name, stdio_usage, name);
  return text + fmt::format("       {} -v\n", name);
}

std::string help() { return usage(Dialect::penstock_pipe) + std::string{options_help}; }

std::string version(Dialect dialect) {
  if (dialect == Dialect::penstock_pipe) return "penstock pipe " PENSTOCK_VERSION "\n";
  return fmt::format("{} (penstock {})\n", to_string(dialect), PENSTOCK_VERSION);
}

}  // namespace penstock::controlplane::pipe
