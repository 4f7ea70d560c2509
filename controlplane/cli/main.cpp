// penstock, the operator's command.
#include <cstdio>
#include <functional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "controlplane/cli/commands.hpp"

namespace penstock::cli {

int refuse(const Error& error) {
  fmt::print(stderr, "penstock: {}\n", error.message);
  return exit_refused;
}

namespace {

void add_choice(CLI::App& command, CLI::Option* file, SiteChoice& choice) {
  auto* const site = command.add_option("--site", choice.site, "the site's name");
  auto* const socket = command.add_option("--socket", choice.socket, "its admin socket");
  site->excludes(socket)->excludes(file);
  socket->excludes(file);
}

int main(int argc, char** argv) {
  CLI::App app{"penstock: an encrypted link of fixed-size frames between two sites"};
  app.set_version_flag("--version", "penstock " PENSTOCK_VERSION);
  app.require_subcommand(1);
  std::filesystem::path file;
  std::string peer;
  SiteChoice choice;
  bool as_json = false;
  std::function<int()> chosen;

  auto* command = app.add_subcommand("genkey", "write a fresh key file, mode 0600");
  command->add_option("FILE", file, "the new key file")->required();
  command->callback([&] { chosen = [&] { return genkey(file); }; });

  auto* identity = app.add_subcommand("identity", "the key by which a site proves who it is");
  identity->require_subcommand(1);
  command = identity->add_subcommand("new", "write a fresh identity, mode 0600");
  command->add_option("FILE", file, "the new identity file")->required();
  command->callback([&] { chosen = [&] { return new_identity(file); }; });
  command = identity->add_subcommand("show", "print the line for the other site's config");
  command->add_option("FILE", file, "the identity file")->required();
  command->callback([&] { chosen = [&] { return show_identity(file); }; });

  command = app.add_subcommand("check", "check a site's config and key files");
  command->add_option("FILE", file, "the site's config")->required();
  command->callback([&] { chosen = [&] { return check(file); }; });

  command = app.add_subcommand("run", "start and supervise a site in the foreground");
  command->add_option("FILE", file, "the site's config")->required();
  command->callback([&] { chosen = [&] { return run(file); }; });

  command = app.add_subcommand("status", "show a running site");
  command->add_flag("--json", as_json, "as JSON, for programs");
  auto* option =
      command->add_option("FILE", choice.file, "the site's config, where several sites run");
  add_choice(*command, option, choice);
  command->callback([&] { chosen = [&] { return status(choice, as_json); }; });

  command = app.add_subcommand("rekey", "make a new session with a peer now");
  command->add_option("PEER", peer, "the far site's name")->required();
  option = command->add_option("FILE,--config", choice.file, "the site's config");
  add_choice(*command, option, choice);
  command->callback([&] { chosen = [&] { return rekey(choice, peer); }; });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_refused;
  }
  return chosen();
}

}  // namespace
}  // namespace penstock::cli

int main(int argc, char** argv) { return penstock::cli::main(argc, argv); }
