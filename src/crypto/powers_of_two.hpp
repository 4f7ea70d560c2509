// 2^x mod p for group 14 of RFC 3526 and secret x of 256 bits, by a comb: the powers of 2 that x
// is put together from are tabulated once, so that next to no squaring is left. All arithmetic is
// OpenSSL's; what stands here chooses what to multiply, looking at every entry of a table whichever
// it takes.
// Source: Lim and Lee, "More Flexible Exponentiation with Precomputation", CRYPTO '94.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "openssl.hpp"
#include "penstock/base/bytes.hpp"

namespace penstock::crypto {

using Montgomery = std::unique_ptr<BN_MONT_CTX, openssl::Deleter<&BN_MONT_CTX_free>>;

class PowersOfTwo {
 public:
  static constexpr std::size_t exponent_size = 32;

  // `p` and `montgomery`, of that p of 2048 bits, outlive it. Takes some 300 multiplications.
  PowersOfTwo(const BIGNUM* p, BN_MONT_CTX* montgomery);

  // x is big-endian. Takes the same time whatever it is.
  [[nodiscard]] openssl::BigNumber power(std::span<const std::byte, exponent_size> x) const;

 private:
  static constexpr std::size_t digits = 2 * exponent_size;  // of 4 bits
  static constexpr std::size_t rows = 16;                   // tables
  static constexpr std::size_t digits_a_row = digits / rows;
  static constexpr std::size_t values = 16;     // of a digit
  using Entry = std::array<std::uint64_t, 32>;  // in Montgomery form, little-endian
  using Row = std::array<Entry, values>;

  void fill(Row& row, std::size_t weight, const BIGNUM* p, BN_CTX* scratch);
  [[nodiscard]] openssl::BigNumber comb(std::span<const std::byte, exponent_size> x,
                                        BN_CTX* scratch) const;
  void multiply(BIGNUM* by, const Row& row, unsigned digit, BN_CTX* scratch) const;

  BN_MONT_CTX* montgomery_;
  // Row j: 2^((v + 1) 16^(4 j) + shift), where the shift is the row's own.
  std::array<Row, rows> table_;
  openssl::BigNumber correction_;  // what the comb of 0 is to be multiplied with for 1
};

}  // namespace penstock::crypto
