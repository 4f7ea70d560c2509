// Moves bytes: accepts connections from the source socket and makes a pipe of each, on some
// threads of which each has its own epoll loop, engine, buffers and connections.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "penstock/base/unique_fd.hpp"
#include "penstock/crypto/engine_plan.hpp"
#include "penstock/crypto/key_schedule.hpp"

#include "controlplane/pipe/settings.hpp"
#include "controlplane/pipe/targets.hpp"

namespace penstock::controlplane::pipe {

// Why a connection ended: each is counted, and all but the first logged, at most once a second
// each.
enum class End : std::uint8_t {
  finished,        // both ways were closed, or the near side or target hung up
  no_target,       // no address of the target took the connection in time
  handshake_late,  // the far side did not finish its handshake in time
  handshake_cut,   // it closed during the handshake
  bad_handshake,   // a MAC that does not hold: another key, or changed on the way
  not_forward,     // -g, and the far side has no forward secrecy
  bad_packet,      // a packet that does not hold: changed on the way
  cut_packet,      // the far side closed inside a packet
  reset,           // a socket's error
  count,
};
[[nodiscard]] std::string_view to_string(End end);

class Server {
 public:
  // `listener` listens, non-blocking; `key` and `targets` outlive the server. `bind_from` is
  // the address that connections to the target come from, where it has a size.
  Server(const Settings& settings, UniqueFd listener, const crypto::FileKey& key,
         const Targets& targets, const EnginePlan& plan, const SocketAddress& bind_from);
  ~Server();

  // Starts the threads and returns; they run until there is nothing left to do after stop().
  // In front of it confine the process: nothing is opened later but sockets.
  [[nodiscard]] Result<void> start();
  // No new connections; those that live end by themselves (spiped's SIGTERM). Any thread.
  void stop();
  // Waits until stop() was called and the last connection has ended.
  void join();

  struct Counts {
    std::uint64_t accepted;
    std::uint64_t living;
    std::array<std::uint64_t, static_cast<std::size_t>(End::count)> ends;
  };
  [[nodiscard]] Counts counts() const;  // any thread

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// One pipe between this process's standard input and output and a connected socket: spipe.
// Blocks until it ends. `connected` is a stream socket to the far side.
[[nodiscard]] End run_stdio(const Settings& settings, UniqueFd connected,
                            const crypto::FileKey& key, const EnginePlan& plan);

}  // namespace penstock::controlplane::pipe
