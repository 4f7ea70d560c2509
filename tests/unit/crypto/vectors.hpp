// Known answers: hexadecimal in a test, and the files of tests/vectors.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "penstock/base/bytes.hpp"

namespace penstock::crypto {

using ByteVector = std::vector<std::byte>;

inline ByteVector from_hex(std::string_view hex) {
  ByteVector out(hex.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint8_t value = 0;
    std::from_chars(&hex[2 * i], &hex[2 * i] + 2, value, 16);
    out[i] = static_cast<std::byte>(value);
  }
  return out;
}

template <std::size_t N>
std::span<const std::byte, N> fixed(const ByteVector& bytes) {
  EXPECT_EQ(bytes.size(), N);
  return std::span{bytes}.template first<N>();
}

using Record = std::map<std::string, ByteVector>;

// Records of "name hex" lines with a blank line between records; a line that begins with # is a
// comment. Never empty.
inline std::vector<Record> read_vectors(const std::string& file) {
  std::ifstream in{std::string{PENSTOCK_TEST_VECTORS} + "/" + file};
  std::vector<Record> records(1);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    if (line.empty()) {
      records.emplace_back();
      continue;
    }
    const std::size_t space = std::min(line.find(' '), line.size() - 1);
    const std::string name = line.substr(0, line.find(' '));
    records.back()[name] = from_hex(std::string_view{line}.substr(space + 1));
  }
  EXPECT_FALSE(records.front().empty()) << file;
  return records;
}

}  // namespace penstock::crypto
