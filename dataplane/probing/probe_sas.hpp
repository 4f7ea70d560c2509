// The two SAs of a session's path probes. The main core's alone: workers never see them.
#pragma once

#include <cstdint>
#include <memory>

#include "penstock/crypto/probe_keys.hpp"
#include "penstock/ipc/messages.hpp"
#include "penstock/link/replay_window.hpp"
#include "penstock/wire/path_probe.hpp"

namespace penstock::dataplane::probing {

struct ProbeSas {
  ProbeSealer out;
  ProbeOpener in;
  ReplayWindow window;  // of `in`
  bool finds_mtu;       // this site asks; it answers in any case

  // Null: the controller made no keys for them. The message's suite and tag are good ones.
  [[nodiscard]] static std::unique_ptr<ProbeSas> make(const ipc::InstallSession& message);
};

}  // namespace penstock::dataplane::probing
