// What a pipe between two socket addresses is to do, whatever it was told by: the command line
// of `penstock pipe`, spiped's own, or a [[pipe]] of a site's config.
#pragma once

#include <chrono>
#include <cstddef>

#include "controlplane/pipe/handshake.hpp"

namespace penstock::controlplane::pipe {

struct Settings {
  Role role = Role::client;
  Secrecy secrecy;
  bool keeps_alive = true;            // SO_KEEPALIVE on both sides; off by -j
  std::size_t max_connections = 100;  // 0: no limit
  // For connecting to the target, and for the handshake: each has so long.
  std::chrono::milliseconds timeout{5000};
  unsigned threads = 0;  // 0: as many as there are cores
};

}  // namespace penstock::controlplane::pipe
