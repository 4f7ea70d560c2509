// Group 14 of RFC 3526: 2048 bits, generator 2, private values of 256 bits as in spiped.
// OpenSSL's DH objects would also test that the peer's value lies in the subgroup, at the
// price of a full exponentiation. p is a safe prime, so a value outside it and in range
// gives away one bit of x, which lives for one handshake.
#include <memory>

#include <openssl/bn.h>

#include "diffie_hellman.hpp"
#include "openssl.hpp"
#include "penstock/base/check.hpp"
#include "penstock/crypto/key_exchange.hpp"

namespace penstock::crypto {
namespace {

using openssl::BigNumber;
using openssl::input;
using openssl::must;
using openssl::output;

BigNumber must_have(BIGNUM* number) {
  check(number != nullptr, "no memory for OpenSSL");
  return BigNumber{number};
}

openssl::BigNumberScratch new_scratch() {
  openssl::BigNumberScratch scratch{BN_CTX_new()};
  check(scratch != nullptr, "no memory for OpenSSL");
  return scratch;
}

BigNumber from_bytes(Bytes big_endian) {
  return must_have(BN_bin2bn(input(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

using Montgomery = std::unique_ptr<BN_MONT_CTX, openssl::Deleter<&BN_MONT_CTX_free>>;

struct Numbers {
  BigNumber p = must_have(BN_get_rfc3526_prime_2048(nullptr));
  BigNumber p_minus_1 = must_have(BN_dup(p.get()));
  BigNumber two = must_have(BN_new());
  Montgomery montgomery{BN_MONT_CTX_new()};

  Numbers() {
    must(BN_sub_word(p_minus_1.get(), 1));
    must(BN_set_word(two.get(), 2));
    check(montgomery != nullptr, "no memory for OpenSSL");
    must(BN_MONT_CTX_set(montgomery.get(), p.get(), new_scratch().get()));
  }
};

const Numbers& group_14() {
  static const Numbers numbers;
  return numbers;
}

// base^x mod p, always 256 bytes.
void power(const BIGNUM* base, Bytes x, MutableBytes out) {
  const BigNumber exponent = from_bytes(x);
  BN_set_flags(exponent.get(), BN_FLG_CONSTTIME);
  const BigNumber result = must_have(BN_new());
  const Numbers& group = group_14();
  must(BN_mod_exp_mont_consttime(result.get(), base, exponent.get(), group.p.get(),
                                 new_scratch().get(), group.montgomery.get()));
  const int size = static_cast<int>(out.size());
  check(BN_bn2binpad(result.get(), output(out), size) == size, "a residue has 256 bytes");
}

bool is_private_value(Bytes) { return true; }

void public_value(Bytes x, MutableBytes out) { power(group_14().two.get(), x, out); }

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
