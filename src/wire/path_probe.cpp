#include "penstock/wire/path_probe.hpp"

#include <algorithm>

#include "penstock/wire/block.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {
namespace {

constexpr std::size_t block = frame_layout::prologue;
constexpr std::size_t type = block + block_header;
constexpr std::size_t id = type + control_header;
constexpr std::size_t size = id + 8;
constexpr std::size_t end = size + 2;
static_assert(end <= limits::min_frame_size - frame_layout::header - limits::max_tag);

}  // namespace

void write_path_probe(MutableBytes plaintext, const PathProbe& probe) {
  std::ranges::fill(plaintext, std::byte{});  // the prologue is zeros: the block comes first
  write_block_header(&plaintext[block], {.kind = BlockKind::control,
                                         .length = static_cast<std::uint32_t>(end - type)});
  store_u8(&plaintext[type], static_cast<std::uint8_t>(probe.is_answer ? ControlType::probe_answer
                                                                       : ControlType::probe));
  store_be64(&plaintext[id], probe.id);
  store_be16(&plaintext[size], probe.size);
}

std::optional<PathProbe> read_path_probe(Bytes plaintext) {
  if (plaintext.size() < end || load_be32(plaintext.data()) != 0) return std::nullopt;
  const BlockHeader header = read_block_header(&plaintext[block]);
  if (header.kind != BlockKind::control || header.length != end - type) return std::nullopt;
  const auto said = static_cast<ControlType>(load_u8(&plaintext[type]));
  if (said != ControlType::probe && said != ControlType::probe_answer) return std::nullopt;
  return PathProbe{.is_answer = said == ControlType::probe_answer,
                   .id = load_be64(&plaintext[id]),
                   .size = load_be16(&plaintext[size])};
}

}  // namespace penstock
