// What a pipe's process may still do once it runs.
#pragma once

#include "penstock/base/confine.hpp"

#include "controlplane/pipe/options.hpp"
#include "controlplane/pipe/targets.hpp"

namespace penstock::controlplane::pipe {

// `bind_from` as Server has it; `reaches_a_path`: the target is a Unix socket.
[[nodiscard]] Confinement confinement_of(const Options& options, const SocketAddress& bind_from,
                                         bool reaches_a_path);

}  // namespace penstock::controlplane::pipe
