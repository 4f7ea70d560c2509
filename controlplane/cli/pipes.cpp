#include "controlplane/cli/pipes.hpp"

#include <chrono>

#include <fmt/format.h>

#include "controlplane/cli/link_text.hpp"
#include "controlplane/pipe/key.hpp"
#include "controlplane/pipe/targets.hpp"

namespace penstock::cli {
namespace {

using controlplane::pipe::parse_bind_address;
using controlplane::pipe::parse_endpoint;

std::string seconds(Time time) {
  return fmt::format("{}", std::chrono::duration<double>{time}.count());
}

template <class T>
Result<void> of(const PipeConfig& pipe, const Result<T>& result) {
  if (result) return {};
  return fail(result.error().kind, fmt::format("pipe {}: {}", pipe.name, result.error().message));
}

std::string_view describe(PipeConfig::Secrecy secrecy) {
  switch (secrecy) {
    case PipeConfig::Secrecy::no:
      return "without forward secrecy";
    case PipeConfig::Secrecy::require:
      return "with forward secrecy, required of the far end";
    case PipeConfig::Secrecy::yes:
      break;
  }
  return "with forward secrecy";
}

}  // namespace

std::vector<std::string> pipe_arguments(const PipeConfig& pipe) {
  std::vector<std::string> words{"-F",
                                 "-D",  // a name that nobody tells yet stops no site
                                 pipe.mode == PipeConfig::Mode::encrypt ? "-e" : "-d"};
  const auto add = [&](const char* letter, std::string value) {
    words.emplace_back(letter);
    words.push_back(std::move(value));
  };
  add("--site-pipe", pipe.name);
  add("-s", pipe.source);
  add("-t", pipe.target);
  add("-k", pipe.key_file.string());
  add("-n", std::to_string(pipe.max_connections));
  add("-o", seconds(pipe.timeout));
  if (pipe.resolve_every == Time{0})
    words.emplace_back("-R");
  else
    add("-r", seconds(pipe.resolve_every));
  if (pipe.forward_secrecy == PipeConfig::Secrecy::no) words.emplace_back("-f");
  if (pipe.forward_secrecy == PipeConfig::Secrecy::require) words.emplace_back("-g");
  if (!pipe.keep_alive) words.emplace_back("-j");
  if (!pipe.bind.empty()) add("-b", pipe.bind);
  if (!pipe.user.empty()) add("-u", pipe.user);
  return words;
}

Result<std::string> check_pipe(const PipeConfig& pipe) {
  for (const std::string& socket : {pipe.source, pipe.target})
    if (auto good = of(pipe, parse_endpoint(socket)); !good) return std::unexpected{good.error()};
  if (!pipe.bind.empty())
    if (auto good = of(pipe, parse_bind_address(pipe.bind)); !good)
      return std::unexpected{good.error()};
  const auto key = controlplane::pipe::read_pipe_key(pipe.key_file.string());
  if (auto good = of(pipe, key); !good) return std::unexpected{good.error()};
  const bool encrypts = pipe.mode == PipeConfig::Mode::encrypt;
  std::string text = fmt::format("pipe      {}: {} {}, {} {}\n", pipe.name, pipe.source,
                                 encrypts ? "encrypted to" : "decrypted to", pipe.target,
                                 describe(pipe.forward_secrecy));
  text += link_line("key", pipe.key_file.string());
  if (!key->warning.empty()) text += link_line("", key->warning);
  return text;
}

}  // namespace penstock::cli
