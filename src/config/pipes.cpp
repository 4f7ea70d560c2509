#include "pipes.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "values.hpp"

namespace penstock::config {
namespace {

using namespace std::chrono_literals;

constexpr std::array pipe_keys{Key{"name", true},
                               Key{"mode", true},
                               Key{"source", true},
                               Key{"target", true},
                               Key{"key_file", true},
                               Key{"forward_secrecy"},
                               Key{"max_connections"},
                               Key{"timeout"},
                               Key{"resolve_every"},
                               Key{"bind"},
                               Key{"user"},
                               Key{"keep_alive"}};

constexpr std::int64_t most_connections = 1'000'000;
constexpr Time shortest_timeout = 1ms;
constexpr Time longest_timeout = 24h;

std::optional<PipeConfig::Mode> parse_mode(std::string_view text) {
  if (text == "encrypt") return PipeConfig::Mode::encrypt;
  if (text == "decrypt") return PipeConfig::Mode::decrypt;
  return std::nullopt;
}

std::optional<PipeConfig::Secrecy> parse_secrecy(std::string_view text) {
  if (text == "yes") return PipeConfig::Secrecy::yes;
  if (text == "no") return PipeConfig::Secrecy::no;
  if (text == "require") return PipeConfig::Secrecy::require;
  return std::nullopt;
}

// Its shape; whether a host or a port is one is for the pipe to say, which looks them up.
std::optional<std::string> parse_socket(std::string_view text) {
  if (!text.starts_with('/') && text.rfind(':') == text.npos) return std::nullopt;
  return std::string{text};
}

Time read_time(const Section& pipe, std::string_view key, Time least, Time otherwise) {
  const Time time = pipe.parsed(key, parse_duration, "a duration such as \"500ms\" or \"5s\"")
                        .value_or(otherwise);
  if (time < least || time > longest_timeout)
    pipe.refuse(key, fmt::format("this must be from {} to {}", duration_text(least),
                                 duration_text(longest_timeout)));
  return time;
}

PipeConfig read_pipe(const Section& pipe, const SiteConfig& site) {
  constexpr std::string_view a_socket =
      "a socket: write \"host:port\", \"[192.0.2.1]:port\" or the \"/path\" of a Unix socket";
  const PipeConfig defaults;
  PipeConfig config;
  config.name = pipe.parsed("name", parse_site_name, "a name: letters, digits, '-', '_' and '.'")
                    .value_or("");
  config.mode = pipe.parsed("mode", parse_mode, "\"encrypt\" or \"decrypt\"")
                    .value_or(PipeConfig::Mode::encrypt);
  config.source = pipe.parsed("source", parse_socket, a_socket).value_or("");
  config.target = pipe.parsed("target", parse_socket, a_socket).value_or("");
  config.key_file = site.file.parent_path() / pipe.text("key_file").value_or("");
  config.forward_secrecy =
      pipe.parsed("forward_secrecy", parse_secrecy, "\"yes\", \"no\" or \"require\"")
          .value_or(defaults.forward_secrecy);
  config.max_connections = static_cast<unsigned>(
      pipe.number("max_connections", 0, most_connections).value_or(defaults.max_connections));
  config.timeout = read_time(pipe, "timeout", shortest_timeout, defaults.timeout);
  config.resolve_every = read_time(pipe, "resolve_every", 0s, defaults.resolve_every);
  config.bind = pipe.text("bind").value_or("");
  config.user = pipe.text("user").value_or("");
  config.keep_alive = pipe.truth("keep_alive").value_or(defaults.keep_alive);
  return config;
}

void refuse_twins(const Section& pipe, const PipeConfig& next,
                  const std::vector<PipeConfig>& before) {
  if (std::ranges::find(before, next.name, &PipeConfig::name) != before.end())
    pipe.refuse("name", fmt::format("there is a pipe \"{}\" already", next.name));
  const auto twin = std::ranges::find(before, next.source, &PipeConfig::source);
  if (twin != before.end())
    pipe.refuse("source",
                fmt::format("the pipe \"{}\" takes the connections at this one", twin->name));
}

}  // namespace

void read_pipes(Refusals& refusals, const Section& root, SiteConfig& config) {
  const toml::node* const node = root.find("pipe");
  if (node == nullptr) return;
  const toml::array* const pipes = node->as_array();
  if (pipes == nullptr || pipes->empty() || !pipes->is_homogeneous(toml::node_type::table)) {
    root.refuse("pipe", "a pipe is written [[pipe]], with double brackets");
    return;
  }
  if (pipes->size() > limits::max_pipes) {
    root.refuse("pipe", fmt::format("a site has at most {} pipes", limits::max_pipes));
    return;
  }
  for (const toml::node& table : *pipes) {
    const Section pipe{refusals, *table.as_table(), "pipe", pipe_keys};
    PipeConfig next = read_pipe(pipe, config);
    refuse_twins(pipe, next, config.pipes);
    config.pipes.push_back(std::move(next));
  }
}

}  // namespace penstock::config
