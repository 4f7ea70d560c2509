// What `penstock pipe` runs, once its command line is understood. Each returns the exit code, and
// has said in the log why it is not 0.
#pragma once

#include "controlplane/pipe/options.hpp"

namespace penstock::controlplane::pipe {

// Every refusal's exit code, as spiped has it.
inline constexpr int exit_failed = 1;

// Connections of a source socket, in the background or in the foreground.
[[nodiscard]] int run_service(const Options& options);
// One pipe of standard input and output.
[[nodiscard]] int run_on_stdio(const Options& options);

}  // namespace penstock::controlplane::pipe
