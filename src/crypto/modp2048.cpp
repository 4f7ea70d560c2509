// Group 14 of RFC 3526: 2048 bits, generator 2, private values of 256 bits as in spiped.
// OpenSSL's DH objects would also test that the peer's value lies in the subgroup, at the
// price of a full exponentiation. p is a safe prime, so a value outside it and in range
// gives away one bit of x, which lives for one handshake.
#include <openssl/bn.h>

#include "diffie_hellman.hpp"
#include "openssl.hpp"
#include "penstock/base/check.hpp"

namespace penstock::crypto::modp2048 {
namespace {

using openssl::BigNumber;
using openssl::input;
using openssl::must;
using openssl::output;

BigNumber must_have(BIGNUM* number) {
  check(number != nullptr, "no memory for OpenSSL");
  return BigNumber{number};
}

BigNumber from_bytes(Bytes big_endian) {
  return must_have(BN_bin2bn(input(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

struct Group {
  BigNumber p = must_have(BN_get_rfc3526_prime_2048(nullptr));
  BigNumber p_minus_1 = must_have(BN_dup(p.get()));
  BigNumber two = must_have(BN_new());

  Group() {
    must(BN_sub_word(p_minus_1.get(), 1));
    must(BN_set_word(two.get(), 2));
  }
};

const Group& group() {
  static const Group group_14;
  return group_14;
}

// base^x mod p, always 256 bytes.
void power(const BIGNUM* base, PrivateValue x, Value out) {
  const BigNumber exponent = from_bytes(x);
  BN_set_flags(exponent.get(), BN_FLG_CONSTTIME);
  const BigNumber result = must_have(BN_new());
  const openssl::BigNumberScratch scratch{BN_CTX_new()};
  check(scratch != nullptr, "no memory for OpenSSL");
  must(BN_mod_exp_mont_consttime(result.get(), base, exponent.get(), group().p.get(), scratch.get(),
                                 nullptr));
  const int size = static_cast<int>(out.size());
  check(BN_bn2binpad(result.get(), output(out), size) == size, "a residue has 256 bytes");
}

}  // namespace

void public_value(PrivateValue x, Value out) { power(group().two.get(), x, out); }

bool agree(PrivateValue x, std::span<const std::byte, 256> peer, Value out) {
  const BigNumber y = from_bytes(peer);
  const bool in_range =
      BN_cmp(y.get(), BN_value_one()) > 0 && BN_cmp(y.get(), group().p_minus_1.get()) < 0;
  if (in_range) power(y.get(), x, out);
  return in_range;
}

}  // namespace penstock::crypto::modp2048
