// What a completed handshake yields, on either side.
#pragma once

#include "penstock/base/suite.hpp"
#include "penstock/crypto/key_schedule.hpp"
#include "penstock/ipc/messages.hpp"

#include "controlplane/handshake/parameters.hpp"

namespace penstock::controlplane {

struct Agreement {
  ipc::Role role{};
  Suite suite;
  FrameShape shape;
  Parameters own;
  Parameters peer;
  crypto::SessionSecret secret;
  crypto::Digest session_id;  // T4
};

}  // namespace penstock::controlplane
