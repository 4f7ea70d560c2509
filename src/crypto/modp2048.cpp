// Group 14 of RFC 3526: 2048 bits, generator 2, private values of 256 bits as in spiped.
// OpenSSL's DH objects would also test that the peer's value lies in the subgroup, at the
// price of a full exponentiation. p is a safe prime, so a value outside it and in range
// gives away one bit of x, which lives for one handshake.
#include <openssl/bn.h>

#include "diffie_hellman.hpp"
#include "openssl.hpp"
#include "penstock/base/check.hpp"
#include "penstock/crypto/key_exchange.hpp"
#include "powers_of_two.hpp"

namespace penstock::crypto {
namespace {

using openssl::BigNumber;
using openssl::input;
using openssl::must;
using openssl::must_have;
using openssl::new_scratch;
using openssl::output;

BigNumber from_bytes(Bytes big_endian) {
  return must_have<BigNumber>(
      BN_bin2bn(input(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

Montgomery montgomery_of(const BIGNUM* p) {
  auto montgomery = must_have<Montgomery>(BN_MONT_CTX_new());
  must(BN_MONT_CTX_set(montgomery.get(), p, new_scratch().get()));
  return montgomery;
}

struct Numbers {
  BigNumber p = must_have<BigNumber>(BN_get_rfc3526_prime_2048(nullptr));
  BigNumber p_minus_1 = must_have<BigNumber>(BN_dup(p.get()));
  Montgomery montgomery = montgomery_of(p.get());
  PowersOfTwo powers_of_two{p.get(), montgomery.get()};

  Numbers() { must(BN_sub_word(p_minus_1.get(), 1)); }
};

const Numbers& group_14() {
  static const Numbers numbers;
  return numbers;
}

// Always 256 bytes.
void write(const BIGNUM* residue, MutableBytes out) {
  const int size = static_cast<int>(out.size());
  check(BN_bn2binpad(residue, output(out), size) == size, "a residue has 256 bytes");
}

// base^x mod p. Windows of our own over the multiplications that the comb uses were no faster than
// this.
void power(const BIGNUM* base, Bytes x, MutableBytes out) {
  const BigNumber exponent = from_bytes(x);
  BN_set_flags(exponent.get(), BN_FLG_CONSTTIME);
  const BigNumber result = must_have<BigNumber>(BN_new());
  const Numbers& group = group_14();
  must(BN_mod_exp_mont_consttime(result.get(), base, exponent.get(), group.p.get(),
                                 new_scratch().get(), group.montgomery.get()));
  write(result.get(), out);
}

bool is_private_value(Bytes) { return true; }

void public_value(Bytes x, MutableBytes out) {
  write(group_14().powers_of_two.power(x.first<PowersOfTwo::exponent_size>()).get(), out);
}

bool is_in_range(const BIGNUM* y) {
  return BN_cmp(y, BN_value_one()) > 0 && BN_cmp(y, group_14().p_minus_1.get()) < 0;
}

bool agree(const KeyPair& own, Bytes peer, MutableBytes out) {
  const BigNumber y = from_bytes(peer);
  const bool is_good = is_in_range(y.get());
  if (is_good) power(y.get(), own.x, out);
  return is_good;
}

}  // namespace

bool is_modp2048_public_value(Bytes y) {
  return y.size() == public_value_size(KeyExchange::modp2048) && is_in_range(from_bytes(y).get());
}

constinit const Group modp2048{&is_private_value, &public_value, &agree};

}  // namespace penstock::crypto
