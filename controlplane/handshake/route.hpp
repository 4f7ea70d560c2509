// The way of a handshake message: to or from an address in the clear, or inside a living
// session, where nobody on the path sees it and nobody without the session's keys can send it.
#pragma once

#include <variant>

#include "penstock/base/address.hpp"
#include "penstock/ipc/messages.hpp"

namespace penstock::controlplane {

using Route = std::variant<Endpoint, ipc::SessionId>;

}  // namespace penstock::controlplane
