// The groups behind EphemeralKey, each as the same functions of bytes; lengths are those of
// exchange_sizes(), and the caller's to check.
#pragma once

#include <cstddef>

#include "penstock/base/bytes.hpp"
#include "penstock/base/suite.hpp"

namespace penstock::crypto {

// An own key pair: x is secret, y its public value.
struct KeyPair {
  Bytes x;
  Bytes y;
};

struct Group {
  // Whether x may be a private value; random bytes nearly always are.
  bool (*is_private_value)(Bytes x);
  void (*public_value)(Bytes x, MutableBytes out);
  // False when the group refuses the peer's public value.
  bool (*agree)(const KeyPair& own, Bytes peer, MutableBytes out);
};

[[nodiscard]] const Group& group_of(KeyExchange kind);

extern const Group x25519;    // refuses peers that make the result all zero: of small order
extern const Group p256;      // refuses what is no uncompressed point of the curve
extern const Group p384;      // the same
extern const Group modp2048;  // refuses peers not in 1 < peer < p - 1

}  // namespace penstock::crypto
