// What OpenSSL's arithmetic leaves behind. It frees some of what it works with as it is
// (ecp_nistz256.c: the private value, taken apart into digits), and wipes little of its stack.
#pragma once

namespace penstock::crypto::openssl {

// From before main() on, all memory that OpenSSL frees in a program that uses this is wiped
// first. False where something made OpenSSL allocate even earlier; then it cannot be had.
[[nodiscard]] bool is_freed_memory_wiped();

// Overwrites the stack below the caller, farther than any exchange of keys reaches.
void wipe_stack_below() noexcept;

}  // namespace penstock::crypto::openssl
