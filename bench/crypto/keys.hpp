// The keys of SA `index`: made up, different for each, the same in the engine and in the raw
// calls, so that both can be seen to compute the same.
#pragma once

#include <cstddef>
#include <cstdint>

#include "penstock/base/bytes.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock::bench {

struct KeyMaterial {
  explicit KeyMaterial(std::size_t index) {
    fill(encrypt.fill(), 2 * index);
    fill(mac.fill(), 2 * index + 1);
  }

  EncryptKey encrypt;
  MacKey mac;

 private:
  static void fill(MutableBytes key, std::size_t seed) {
    std::uint64_t state = seed * 2 + 1;
    for (auto& byte : key) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      byte = static_cast<std::byte>(state >> 56);
    }
  }
};

}  // namespace penstock::bench
