// What the responder does for a handshake, and for a message 1 that is none: the real state
// machine and crypto, without sockets and without a data plane.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "penstock/base/suite.hpp"

namespace penstock::bench {

// Message 1 in, 2 out, 3 in, Diffie-Hellman, 4 out, the answer remembered. Returns the thread's
// seconds a handshake, of `count` at once; what the initiators do does not count.
[[nodiscard]] std::function<double()> whole_handshakes(KeyExchange kind, std::size_t count);

// A message 1 that is dropped, and the thread's seconds that this takes, in a pass of many.
struct InvalidMessage {
  std::string name;
  std::function<double()> pass;
};
[[nodiscard]] std::vector<InvalidMessage> invalid_messages();

}  // namespace penstock::bench
