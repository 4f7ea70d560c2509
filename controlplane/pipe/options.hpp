// The command line of a pipe: spiped's (1.6.2, with the -b of 1.6.3), and spipe's with --stdio.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "controlplane/pipe/settings.hpp"

namespace penstock::controlplane::pipe {

// Under which name we were called: what is an option, and what is said, goes by it.
enum class Dialect : std::uint8_t { penstock_pipe, spiped, spipe };
[[nodiscard]] std::string_view to_string(Dialect dialect);

struct Options {
  Settings settings;
  std::string source;  // empty: standard input and output
  std::string target;
  std::string key_file;  // "-": standard input
  std::string bind;      // where connections to the target come from; empty: the kernel's choice
  bool is_daemon = true;
  bool waits_for_names = false;
  std::string pid_file;
  bool logs_to_syslog = false;
  std::string user;                                 // "user", ":group" or "user:group"
  std::chrono::milliseconds resolve_every{60'000};  // 0: never again
  // A [[pipe]] of a site, by this name: said in the log, and a socket file that the last run
  // left behind is no reason to stop.
  std::string site_pipe;
};

// What to say instead, and the exit code. Help goes to standard output, all else to standard
// error.
struct Reply {
  std::string text;
  int exit_code = 1;
  bool is_help = false;
};

// `arguments` without the program's name.
[[nodiscard]] std::variant<Options, Reply> parse_options(std::vector<std::string> arguments,
                                                         Dialect dialect);

}  // namespace penstock::controlplane::pipe
