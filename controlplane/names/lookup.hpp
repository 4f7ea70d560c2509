// The addresses of a host's name, by whatever the machine asks for names.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <string>
#include <vector>

#include "penstock/base/confine.hpp"
#include "penstock/base/error.hpp"

namespace penstock::controlplane::names {

inline constexpr std::chrono::seconds lookup_bound{10};

// What getaddrinfo is asked.
struct Question {
  std::string host;
  std::string service;  // a port's number or name; empty: none
  int family = AF_UNSPEC;
  int socket_type = SOCK_STREAM;
};
// In the order in which they are to be tried, at most 64; never empty.
using Addresses = std::vector<sockaddr_storage>;

// Waits for at most about `bound`. The library's way cannot be interrupted, and loads code that
// may do anything with what strangers answer: so a child does it, which is ended when its time is
// over, whose death harms nobody, and which has neither our rights nor our `channel`.
[[nodiscard]] Result<Addresses> look_up(const Question& question, int channel,
                                        std::chrono::seconds bound = lookup_bound);

// Of the calling process, which has one thread: no capability, and no file but those by which
// names are asked.
[[nodiscard]] Result<void> keep_to_names();
[[nodiscard]] std::vector<AllowedPath> paths_for_names();

// For a call that sends, whose flags are argument number `flags`: it begins no connection by that,
// which Landlock would not see.
[[nodiscard]] ArgumentRule no_fast_open(unsigned flags);

// Adds what look_up() needs of the process that calls it: system calls, also those that the
// everyday list refuses, and the way to name servers.
void allow_names(Confinement& confinement);

}  // namespace penstock::controlplane::names
