#include "controlplane/pipe/command.hpp"

#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/log.hpp"

#include "controlplane/pipe/service.hpp"

namespace penstock::controlplane::pipe {
namespace {

int answer(const Reply& reply) {
  fmt::print(reply.is_help ? stdout : stderr, "{}", reply.text);
  return reply.exit_code;
}

// The name in every line of the log.
std::string program_of(const Options& options, Dialect dialect) {
  if (!options.site_pipe.empty()) return "penstock-pipe " + options.site_pipe;
  return dialect == Dialect::penstock_pipe ? "penstock-pipe" : std::string{to_string(dialect)};
}

}  // namespace

int run_command(std::vector<std::string> arguments, Dialect dialect) {
  const auto parsed = parse_options(std::move(arguments), dialect);
  if (const auto* const reply = std::get_if<Reply>(&parsed)) return answer(*reply);
  const auto& options = std::get<Options>(parsed);
  log::start(program_of(options, dialect), log::Level::info);
  return options.source.empty() ? run_on_stdio(options) : run_service(options);
}

}  // namespace penstock::controlplane::pipe
