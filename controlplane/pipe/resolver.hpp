// Looks names up for a process that may open nothing itself: by a child that is made before the
// process holds a secret and gives up its rights.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "penstock/base/error.hpp"
#include "penstock/base/unique_fd.hpp"

#include "controlplane/pipe/targets.hpp"

namespace penstock::controlplane::pipe {

class Resolver {
 public:
  Resolver() = default;
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver() { dismiss(); }

  // The addresses behind an endpoint, in the order in which to try them. The first name that is
  // no address makes the child.
  [[nodiscard]] Result<std::vector<SocketAddress>> look_up(const Endpoint& endpoint);

  // Ends the thread, and the child once it looks nothing up: no name is looked up any more.
  void dismiss();

  // Looks `name` up again every so often, on a thread of its own; a list that was found replaces
  // the one in `targets`, which outlives us.
  void keep_fresh(HostName name, std::chrono::milliseconds every, Targets& targets);

 private:
  [[nodiscard]] Result<void> make_child();
  [[nodiscard]] Result<std::vector<SocketAddress>> ask(const HostName& name);
  void refresh(const HostName& name, std::chrono::milliseconds every, Targets& targets);

  UniqueFd socket_;  // to the child
  pid_t child_ = -1;
  std::atomic<bool> is_ending_ = false;  // written by the owner, read by the thread
  std::thread thread_;
};

}  // namespace penstock::controlplane::pipe
