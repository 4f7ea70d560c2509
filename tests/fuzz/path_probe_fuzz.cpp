// What a path probe says, opened: what is taken for one says the same when it is written again.
#include "penstock/wire/path_probe.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "fuzz.hpp"

using namespace penstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input = fuzz::bytes(data, size);
  const auto probe = read_path_probe(input);
  if (!probe) return 0;
  std::vector<std::byte> written(size);
  write_path_probe(written, *probe);
  fuzz::require(read_path_probe(written) == probe);
  // Behind the block is nothing, whatever came there; before that all is as it came.
  std::size_t said = written.size();
  while (said > 0 && written[said - 1] == std::byte{}) --said;
  const auto length = static_cast<std::ptrdiff_t>(said);
  fuzz::require(std::equal(written.begin(), written.begin() + length, input.begin()));
  return 0;
}
