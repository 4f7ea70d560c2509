// What the penstock command does: one function a subcommand, each returning the exit code.
// Results go to standard output, the one sentence of an error to standard error.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "penstock/base/error.hpp"

namespace penstock::cli {

// Which running site a command is for; at most one of them is given.
struct SiteChoice {
  std::filesystem::path file;    // its config file
  std::string site;              // its name
  std::filesystem::path socket;  // its admin socket
};

[[nodiscard]] int genkey(const std::filesystem::path& file);
[[nodiscard]] int new_identity(const std::filesystem::path& file);
[[nodiscard]] int show_identity(const std::filesystem::path& file);
[[nodiscard]] int check(const std::filesystem::path& file);
[[nodiscard]] int run(const std::filesystem::path& file);
[[nodiscard]] int status(const SiteChoice& choice, bool as_json);
// Of the running data plane: workers, queues, rings, pools.
[[nodiscard]] int topology(const SiteChoice& choice);
[[nodiscard]] int rekey(const SiteChoice& choice, const std::string& peer);
[[nodiscard]] int reload(const SiteChoice& choice);
// Asks penstockd, and the data plane itself where penstockd does not answer.
[[nodiscard]] int zeroize(const SiteChoice& choice);
[[nodiscard]] int rotate_key(const SiteChoice& choice, const std::string& peer);
[[nodiscard]] int restore_key(const SiteChoice& choice, const std::string& peer);

// Prints the sentence; the exit code is exit_refused.
[[nodiscard]] int refuse(const Error& error);

}  // namespace penstock::cli
