// What pipes lead to, and what stands in a pipe's place to show what it costs to copy alone.
#pragma once

#include "tests/integration/pipe_load/sockets.hpp"

namespace penstock::load {

// All of them run until they are killed.

// Greets each connection with a byte, and throws away all that comes, without a copy.
[[noreturn]] void run_sink(Port port);
// Sends back what comes.
[[noreturn]] void run_echo(Port port);
// A connection to `target` for each that comes, and both ways copied between them.
[[noreturn]] void run_relay(Port port, Port target);

}  // namespace penstock::load
