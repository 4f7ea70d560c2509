// What `penstock pipe` runs, once its command line is understood. Each returns when it has ended
// as asked, and fails with a sentence.
#pragma once

#include "penstock/base/error.hpp"

#include "controlplane/pipe/options.hpp"

namespace penstock::controlplane::pipe {

// Connections of a source socket, in the background or in the foreground.
[[nodiscard]] Result<void> run_service(const Options& options);
// One pipe of standard input and output.
[[nodiscard]] Result<void> run_on_stdio(const Options& options);

}  // namespace penstock::controlplane::pipe
