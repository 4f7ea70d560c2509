// What spiped computes for a Diffie-Hellman, by the same library: each power as a product of two,
// with an exponent that is split at random.
#pragma once

namespace penstock::bench {

// One side's whole part of an exchange: its own public value, and what it agrees on with a peer's.
void exchange_as_spiped();

}  // namespace penstock::bench
