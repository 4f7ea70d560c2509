// Who this site is on the wire.
#pragma once

#include "penstock/base/address.hpp"

namespace penstock::dataplane {

struct WireIdentity {
  MacAddress mac;
  Endpoint endpoint;
};

}  // namespace penstock::dataplane
