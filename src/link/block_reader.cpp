#include "penstock/link/block_reader.hpp"

#include <algorithm>
#include <cstring>

#include "penstock/keys/secret.hpp"

namespace penstock {

void BlockReader::open(BlockHeader header, Bytes begun, bool is_wanted) {
  kind_ = header.kind;
  left_ = header.length - static_cast<std::uint32_t>(begun.size());
  have_ = 0;
  state_ = is_wanted ? State::inside : State::skipping;
  if (is_wanted) put(begun);
}

void BlockReader::put(Bytes part) {
  if (part.empty()) return;  // an empty span may have no address
  std::memcpy(assembly_.get() + have_, part.data(), part.size());
  have_ += static_cast<std::uint32_t>(part.size());
  most_ = std::max(most_, have_);
}

void BlockReader::wipe() {
  penstock::wipe({assembly_.get(), most_});
  most_ = 0;
}

}  // namespace penstock
