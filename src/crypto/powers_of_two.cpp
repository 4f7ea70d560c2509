#include "powers_of_two.hpp"

#include <algorithm>

#include "penstock/keys/secret.hpp"

namespace penstock::crypto {
namespace {

using openssl::BigNumber;
using openssl::must;
using openssl::must_have;
using openssl::new_scratch;

constexpr int entry_size = 256;

// Digit i has the weight 16^i.
unsigned digit_of(std::span<const std::byte, PowersOfTwo::exponent_size> x, std::size_t i) {
  const auto byte = load_u8(&x[x.size() - 1 - i / 2]);
  return (i % 2 == 0 ? byte : byte >> 4U) & 0xfU;
}

// All ones where a and b, both below 2^31, are equal, and zero elsewhere, without a branch.
std::uint64_t mask_equal(std::uint64_t a, std::uint64_t b) {
  std::uint64_t mask = ((a ^ b) - 1) >> 63;
  // Hides from the compiler that there are but two values, between which it might jump.
  asm volatile("" : "+r"(mask));
  return 0 - mask;
}

}  // namespace

PowersOfTwo::PowersOfTwo(const BIGNUM* p, BN_MONT_CTX* montgomery) : montgomery_(montgomery) {
  const auto scratch = new_scratch();
  for (std::size_t row = 0; row < rows; ++row)
    fill(table_[row], 4 * digits_a_row * row, p, scratch.get());
  const std::array<std::byte, exponent_size> zero{};
  const BigNumber of_zero = comb(zero, scratch.get());
  must(BN_from_montgomery(of_zero.get(), of_zero.get(), montgomery_, scratch.get()));
  correction_ = must_have<BigNumber>(BN_mod_inverse(nullptr, of_zero.get(), p, scratch.get()));
}

// With g = 2^(2^weight): g, g^2 ... g^16, all times the least power of 2 that leaves no entry with
// a leading zero byte, since OpenSSL takes shorter numbers in less time. So neither 1, which is
// short in Montgomery form, nor any other entry tells which one it is.
void PowersOfTwo::fill(Row& row, std::size_t weight, const BIGNUM* p, BN_CTX* scratch) {
  const BigNumber g = must_have<BigNumber>(BN_new());
  const BigNumber at = must_have<BigNumber>(BN_new());
  const BigNumber shift = must_have<BigNumber>(BN_dup(BN_value_one()));
  must(BN_set_word(g.get(), 2));
  must(BN_to_montgomery(g.get(), g.get(), montgomery_, scratch));
  for (std::size_t i = 0; i < weight; ++i)
    must(BN_mod_mul_montgomery(g.get(), g.get(), g.get(), montgomery_, scratch));
  for (bool is_short = true; is_short; must(BN_mod_lshift1_quick(shift.get(), shift.get(), p))) {
    is_short = false;
    must(BN_to_montgomery(at.get(), shift.get(), montgomery_, scratch));
    for (Entry& entry : row) {
      must(BN_mod_mul_montgomery(at.get(), at.get(), g.get(), montgomery_, scratch));
      is_short |= BN_num_bytes(at.get()) != entry_size;
      auto* const bytes = reinterpret_cast<unsigned char*>(entry.data());
      check(BN_bn2lebinpad(at.get(), bytes, entry_size) == entry_size, "a residue has 256 bytes");
    }
  }
}

BigNumber PowersOfTwo::comb(std::span<const std::byte, exponent_size> x, BN_CTX* scratch) const {
  BigNumber power = must_have<BigNumber>(BN_new());
  must(BN_to_montgomery(power.get(), BN_value_one(), montgomery_, scratch));
  for (std::size_t of_row = digits_a_row; of_row-- > 0;) {
    for (int i = 0; i < 4; ++i)
      must(BN_mod_mul_montgomery(power.get(), power.get(), power.get(), montgomery_, scratch));
    for (std::size_t row = 0; row < rows; ++row)
      multiply(power.get(), table_[row], digit_of(x, digits_a_row * row + of_row), scratch);
  }
  return power;
}

void PowersOfTwo::multiply(BIGNUM* by, const Row& row, unsigned digit, BN_CTX* scratch) const {
  Entry chosen{};
  for (std::size_t value = 0; value < values; ++value) {
    const std::uint64_t mask = mask_equal(value, digit);
    for (std::size_t word = 0; word < chosen.size(); ++word)
      chosen[word] |= row[value][word] & mask;
  }
  const BigNumber factor = must_have<BigNumber>(
      BN_lebin2bn(reinterpret_cast<const unsigned char*>(chosen.data()), entry_size, nullptr));
  wipe(std::as_writable_bytes(std::span{chosen}));
  must(BN_mod_mul_montgomery(by, by, factor.get(), montgomery_, scratch));
}

BigNumber PowersOfTwo::power(std::span<const std::byte, exponent_size> x) const {
  const auto scratch = new_scratch();
  BigNumber power = comb(x, scratch.get());
  // Of one factor in Montgomery form and one that is not, the product is not.
  must(BN_mod_mul_montgomery(power.get(), power.get(), correction_.get(), montgomery_,
                             scratch.get()));
  return power;
}

}  // namespace penstock::crypto
