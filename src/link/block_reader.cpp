#include "penstock/link/block_reader.hpp"

#include <algorithm>
#include <cstring>

#include "penstock/keys/secret.hpp"

namespace penstock {

void BlockReader::put(Bytes part) {
  if (part.empty()) return;  // an empty span may have no address
  std::memcpy(assembly_->bytes.data() + have_, part.data(), part.size());
  have_ += static_cast<std::uint32_t>(part.size());
  most_ = std::max(most_, have_);
}

void BlockReader::copy_parts() {
  state_ = State::inside;
  have_ = 0;
  for (const Bytes part : std::span{assembly_->parts}.first(assembly_->part_count)) put(part);
}

bool BlockReader::skip_missing(std::size_t payload) {
  const std::uint64_t lost = std::uint64_t{assembly_->missing} * payload;
  const bool goes_on = lost < left_ && hole_count_ + 1U < max_holes;
  const auto length = goes_on ? static_cast<std::uint32_t>(lost) : left_;
  assembly_->holes[hole_count_++] = {.from = have_, .to = have_ + length};
  have_ += length;
  left_ -= length;
  is_missing_ = false;
  return goes_on;
}

void BlockReader::wipe() {
  penstock::wipe({assembly_->bytes.data(), most_});
  most_ = 0;
}

}  // namespace penstock
