#include "spiped_exchange.hpp"

#include <array>
#include <memory>

#include <openssl/bn.h>

#include "penstock/base/check.hpp"
#include "penstock/crypto/primitives.hpp"

namespace penstock::bench {
namespace {

using Number = std::unique_ptr<BIGNUM, decltype(&BN_clear_free)>;
using Scratch = std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)>;

void must(int done) { check(done == 1, "OpenSSL refused"); }
Number number() { return {BN_new(), &BN_clear_free}; }
Number random_256() {
  std::array<std::byte, 32> bytes;
  crypto::fill_random(bytes);
  return {BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), 32, nullptr),
          &BN_clear_free};
}
Number power_of_two(int bit) {
  Number power = number();
  must(BN_set_bit(power.get(), bit));
  return power;
}

// base^(2^258 + x) mod p = base^(2^256 + r) base^(2^258 + x - 2^256 - r), r random
void blinded_power(const BIGNUM* base, const BIGNUM* x) {
  const Number p{BN_get_rfc3526_prime_2048(nullptr), &BN_clear_free};
  const Scratch scratch{BN_CTX_new(), &BN_CTX_free};
  const Number blinding = random_256();
  must(BN_add(blinding.get(), blinding.get(), power_of_two(256).get()));
  const Number rest = power_of_two(258);
  must(BN_add(rest.get(), rest.get(), x));
  must(BN_sub(rest.get(), rest.get(), blinding.get()));
  const Number one = number();
  const Number other = number();
  must(BN_mod_exp(one.get(), base, blinding.get(), p.get(), scratch.get()));
  must(BN_mod_exp(other.get(), base, rest.get(), p.get(), scratch.get()));
  must(BN_mod_mul(one.get(), one.get(), other.get(), p.get(), scratch.get()));
  std::array<unsigned char, 256> out;
  check(BN_bn2binpad(one.get(), out.data(), out.size()) == static_cast<int>(out.size()),
        "a residue has 256 bytes");
}

}  // namespace

void exchange_as_spiped() {
  static const Number peer = [] {
    Number value = number();
    must(BN_rand(value.get(), 2047, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY));
    return value;
  }();
  const Number x = random_256();
  const Number two = power_of_two(1);
  blinded_power(two.get(), x.get());
  blinded_power(peer.get(), x.get());
}

}  // namespace penstock::bench
