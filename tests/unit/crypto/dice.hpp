// Random bytes and numbers that are the same in every run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "penstock/base/bytes.hpp"

namespace penstock {

// SplitMix64 (Steele, Lea, Flood 2014): tests are built without an optimiser, and fill megabytes.
class Dice {
 public:
  [[nodiscard]] std::uint64_t number() {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
  }
  [[nodiscard]] std::uint64_t below(std::uint64_t end) { return number() % end; }
  // Small ones as often as large ones.
  [[nodiscard]] std::uint64_t below_of_any_magnitude(std::uint64_t end) {
    return (number() >> below(64)) % end;
  }
  template <class Container>
  [[nodiscard]] auto& one_of(Container& container) {
    return container[below(container.size())];
  }
  void fill(MutableBytes out) {
    while (!out.empty()) {
      const std::uint64_t some = number();
      const std::size_t size = std::min(sizeof some, out.size());
      std::memcpy(out.data(), &some, size);
      out = out.subspan(size);
    }
  }

 private:
  std::uint64_t state_ = 1;
};

}  // namespace penstock
