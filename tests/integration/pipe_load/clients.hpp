// Who uses a pipe: each prints one line of JSON when it is done.
#pragma once

#include <chrono>

#include "tests/integration/pipe_load/sockets.hpp"

namespace penstock::load {

using Seconds = std::chrono::duration<double>;

// To a sink, through so many connections at once, from when all are greeted until all that was
// sent has arrived: {"bytes", "seconds"}.
void push(Port port, std::size_t connections, Seconds length);
// One byte to an echo and back, again and again: {"count", "p50_us", "p99_us"}.
void ask(Port port, Seconds length);
// Connects to an echo, sends a byte, waits for it, closes; so many at the same time:
// {"count", "seconds"}.
void reconnect(Port port, std::size_t parallel, Seconds length);
// Connects so many times to an echo, a byte each, prints {"connections"} and holds them until
// standard input ends.
void hold(Port port, std::size_t connections);

}  // namespace penstock::load
