// The first phase of a pipe: what needs rights, or is refused with a sentence, is opened before
// the process is confined.
#pragma once

#include <optional>
#include <vector>

#include "penstock/crypto/engine_plan.hpp"
#include "penstock/crypto/key_schedule.hpp"

#include "controlplane/pipe/options.hpp"
#include "controlplane/pipe/resolver.hpp"
#include "controlplane/pipe/targets.hpp"

namespace penstock::controlplane::pipe {

using Addresses = std::vector<SocketAddress>;

struct Places {
  SocketAddress bind_from;  // size 0: wherever the kernel chooses
  SocketAddress source;     // with a source
  Addresses targets;        // never empty
};

// Everything opened; nothing runs.
struct Opened {
  Places places;
  Resolver resolver;
  std::optional<crypto::FileKey> key;
  std::optional<EnginePlan> plan;
};

// In spiped's order: addresses, then the key. With -D waits until names can be looked up.
[[nodiscard]] Result<void> open(const Options& options, Opened& opened);

// The target's name, where it is one that is to be looked up again.
[[nodiscard]] std::optional<HostName> name_to_refresh(const Options& options);

// Has the process give up what it does not need: the second phase.
[[nodiscard]] Result<void> confine(const Options& options, const Opened& opened);

}  // namespace penstock::controlplane::pipe
