// penstock, the operator's command.
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "controlplane/cli/commands.hpp"
#include "controlplane/pipe/command.hpp"

namespace penstock::cli {

int refuse(const Error& error) {
  fmt::print(stderr, "penstock: {}\n", error.message);
  return exit_refused;
}

namespace {

// What the command line says; one command is chosen.
struct Wish {
  std::filesystem::path file;
  std::string peer;
  SiteChoice choice;
  bool as_json = false;
  bool of_topology = false;
  std::function<int()> chosen;
};

using FileCommand = int (*)(const std::filesystem::path& file);
using SiteCommand = int (*)(const SiteChoice& choice);
using LinkCommand = int (*)(const SiteChoice& choice, const std::string& peer);

// A word of the command line, and what `penstock --help` says of it.
struct Word {
  const char* name;
  const char* help;
};

void add(CLI::App& app, Word word, const char* what, Wish& wish, FileCommand command) {
  auto* const sub = app.add_subcommand(word.name, word.help);
  sub->add_option("FILE", wish.file, what)->required();
  sub->callback([&wish, command] { wish.chosen = [&] { return command(wish.file); }; });
}

void add_choice(CLI::App& command, const char* name_of_file, SiteChoice& choice) {
  auto* const file =
      command.add_option(name_of_file, choice.file, "the site's config, where several sites run");
  auto* const site = command.add_option("--site", choice.site, "the site's name");
  auto* const socket = command.add_option("--socket", choice.socket, "its admin socket");
  site->excludes(socket)->excludes(file);
  socket->excludes(file);
}

CLI::App* add(CLI::App& app, Word word, Wish& wish, SiteCommand command) {
  auto* const sub = app.add_subcommand(word.name, word.help);
  add_choice(*sub, "FILE", wish.choice);
  sub->callback([&wish, command] { wish.chosen = [&] { return command(wish.choice); }; });
  return sub;
}

void add(CLI::App& app, Word word, Wish& wish, LinkCommand command) {
  auto* const sub = app.add_subcommand(word.name, word.help);
  sub->add_option("PEER", wish.peer, "the far site's name")->required();
  add_choice(*sub, "FILE,--config", wish.choice);
  sub->callback(
      [&wish, command] { wish.chosen = [&] { return command(wish.choice, wish.peer); }; });
}

// Before a site runs, and to run it.
void add_commands_for_files(CLI::App& app, Wish& wish) {
  add(app, {"genkey", "write a fresh key file, mode 0600"}, "the new key file", wish, genkey);
  auto* const identity = app.add_subcommand("identity", "the key by which a site proves who it is");
  identity->require_subcommand(1);
  add(*identity, {"new", "write a fresh identity, mode 0600"}, "the new identity file", wish,
      new_identity);
  add(*identity, {"show", "print the line for the other site's config"}, "the identity file", wish,
      show_identity);
  add(app, {"check", "check a site's config and key files"}, "the site's config", wish, check);
  add(app, {"run", "start and supervise a site in the foreground"}, "the site's config", wish, run);
  app.add_subcommand("pipe", "an encrypted pipe between two sockets, as spiped: pipe --help");
}

// To a site that runs.
void add_commands_for_sites(CLI::App& app, Wish& wish) {
  auto* const shown =
      add(app, {"status", "show a running site"}, wish, [](const auto&) { return 0; });
  auto* const as_json = shown->add_flag("--json", wish.as_json, "as JSON, for programs");
  shown
      ->add_flag("--topology", wish.of_topology,
                 "its workers, queues, rings and pools, and what each worker did")
      ->excludes(as_json);
  shown->callback([&] {
    wish.chosen = [&] {
      return wish.of_topology ? topology(wish.choice) : status(wish.choice, wish.as_json);
    };
  });
  add(app, {"rekey", "make a new session with a peer now"}, wish, rekey);
  add(app, {"reload", "read the config and the keys again"}, wish, reload);
  add(app, {"zeroize", "wipe all keys from memory now; every link goes down"}, wish, zeroize);
  auto* const key = app.add_subcommand("key", "the long-term key of a link");
  key->require_subcommand(1);
  add(*key, {"rotate", "where a change of the key stands, and the next step"}, wish, rotate_key);
  add(*key, {"restore", "accept a key again that was retired"}, wish, restore_key);
}

// A pipe has a command line of its own, spiped's: `penstock pipe`, or a link by spiped's names.
std::optional<int> run_pipe(const std::vector<std::string>& words) {
  using controlplane::pipe::Dialect;
  using controlplane::pipe::run_command;
  if (words.empty()) return std::nullopt;
  const std::string_view name = std::string_view{words[0]}.substr(words[0].rfind('/') + 1);
  for (const Dialect dialect : {Dialect::spiped, Dialect::spipe})
    if (name == to_string(dialect)) return run_command({words.begin() + 1, words.end()}, dialect);
  if (words.size() < 2 || words[1] != "pipe") return std::nullopt;
  return run_command({words.begin() + 2, words.end()}, Dialect::penstock_pipe);
}

int main(int argc, char** argv) {
  if (const auto code = run_pipe({argv, argv + argc})) return *code;
  CLI::App app{"penstock: an encrypted link of fixed-size frames between two sites"};
  app.set_version_flag("--version", "penstock " PENSTOCK_VERSION);
  app.require_subcommand(1);
  Wish wish;
  add_commands_for_files(app, wish);
  add_commands_for_sites(app, wish);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_refused;
  }
  return wish.chosen();
}

}  // namespace
}  // namespace penstock::cli

int main(int argc, char** argv) { return penstock::cli::main(argc, argv); }
