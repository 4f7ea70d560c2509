// Plaintexts written by hand, without the packer: prologue, then whatever the test says.
#pragma once

#include "recording_sink.hpp"

namespace penstock::test {

class Plaintext {
 public:
  explicit Plaintext(std::uint16_t first = 0, std::uint16_t flags = 0) {
    bytes_.resize(4);
    store_be16(bytes_.data(), first);
    store_be16(bytes_.data() + 2, flags);
  }

  // A block header that promises `length` bytes.
  Plaintext& header(unsigned kind, std::uint32_t length) {
    bytes_.resize(bytes_.size() + block_header);
    store_u8(&bytes_[bytes_.size() - 4], static_cast<std::uint8_t>(kind));
    store_be24(&bytes_[bytes_.size() - 3], length);
    return *this;
  }
  Plaintext& bytes(Bytes part) {
    bytes_.insert(bytes_.end(), part.begin(), part.end());
    return *this;
  }
  Plaintext& block(unsigned kind, Bytes whole) {
    return header(kind, static_cast<std::uint32_t>(whole.size())).bytes(whole);
  }
  Plaintext& zeros(std::size_t length) {
    bytes_.resize(bytes_.size() + length);
    return *this;
  }

  explicit operator Bytes() const { return bytes_; }

 private:
  Buffer bytes_;
};

}  // namespace penstock::test
