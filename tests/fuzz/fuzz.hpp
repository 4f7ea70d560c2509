// What the fuzz targets share. A target is one function, LLVMFuzzerTestOneInput, that
// stops the process when a promise of the code under test is broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "penstock/base/bytes.hpp"
#include "penstock/base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace penstock::fuzz {

[[nodiscard]] inline Bytes bytes(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span{data, size});
}

inline void require(bool holds, std::source_location where = std::source_location::current()) {
  check(holds, "a fuzz target's promise", where);
}

[[nodiscard]] inline bool is_inside(Bytes part, Bytes whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

}  // namespace penstock::fuzz
