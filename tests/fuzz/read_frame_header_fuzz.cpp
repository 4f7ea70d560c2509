// Any datagram: what is taken for a frame header is one, bit for bit.
#include <algorithm>
#include <array>

#include "fuzz.hpp"
#include "penstock/wire/frame.hpp"

using namespace penstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input = fuzz::bytes(data, size);
  const auto header = read_frame_header(input);
  if (!header) return 0;
  fuzz::require(header->spi.value != 0);
  std::array<std::byte, frame_layout::header> written{};
  write_frame_header(written, *header);
  fuzz::require(std::ranges::equal(written, input.first(written.size())));
  return 0;
}
