// One key made and one agreed with a peer's: what an ephemeral Diffie-Hellman cannot do without,
// by every way of asking OpenSSL for it that is safe. Contexts, groups and the peer's parsed
// public value are there already.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "penstock/base/suite.hpp"

namespace penstock::bench {

struct BareDh {
  std::string name;
  std::function<void()> exchange;
};

[[nodiscard]] std::vector<BareDh> bare_dh(KeyExchange kind);

}  // namespace penstock::bench
