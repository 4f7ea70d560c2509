#include "bare_dh.hpp"

#include <array>
#include <memory>
#include <utility>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>

#include "penstock/base/check.hpp"

namespace penstock::bench {
namespace {

template <auto free_function>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    free_function(object);
  }
};
template <class T, auto free_function>
using Handle = std::unique_ptr<T, Deleter<free_function>>;
using Number = Handle<BIGNUM, &BN_clear_free>;
using Scratch = Handle<BN_CTX, &BN_CTX_free>;
using Montgomery = Handle<BN_MONT_CTX, &BN_MONT_CTX_free>;
using Point = Handle<EC_POINT, &EC_POINT_clear_free>;
using Curve = Handle<EC_GROUP, &EC_GROUP_free>;
using Key = Handle<EVP_PKEY, &EVP_PKEY_free>;
using KeyContext = Handle<EVP_PKEY_CTX, &EVP_PKEY_CTX_free>;
using Octets = std::array<unsigned char, 512>;

void must(int done) { check(done == 1, "OpenSSL refused"); }

// OpenSSL's key objects. The peer's key is not checked again: validating it is a second
// exponentiation or multiplication.
class WithKeys {
 public:
  WithKeys(const char* algorithm, const char* group)
      : maker_(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr)) {
    must(EVP_PKEY_keygen_init(maker_.get()));
    if (group != nullptr) must(EVP_PKEY_CTX_set_group_name(maker_.get(), group));
    peer_ = make();
  }
  void exchange() const {
    const Key own = make();
    const KeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, own.get(), nullptr)};
    must(EVP_PKEY_derive_init(context.get()));
    must(EVP_PKEY_derive_set_peer_ex(context.get(), peer_.get(), 0));
    Octets agreed;
    std::size_t size = agreed.size();
    must(EVP_PKEY_derive(context.get(), agreed.data(), &size));
  }

 private:
  [[nodiscard]] Key make() const {
    EVP_PKEY* made = nullptr;
    must(EVP_PKEY_generate(maker_.get(), &made));
    return Key{made};
  }

  KeyContext maker_;
  Key peer_;
};

class WithPoints {
 public:
  explicit WithPoints(int curve) : curve_(EC_GROUP_new_by_curve_name(curve)) {
    const Number x = private_value();
    peer_.reset(EC_POINT_new(curve_.get()));
    must(EC_POINT_mul(curve_.get(), peer_.get(), x.get(), nullptr, nullptr, nullptr));
  }
  void exchange() const {
    const Scratch scratch{BN_CTX_new()};
    const Number x = private_value();
    const Point result{EC_POINT_new(curve_.get())};
    Octets out;
    must(EC_POINT_mul(curve_.get(), result.get(), x.get(), nullptr, nullptr, scratch.get()));
    check(EC_POINT_point2oct(curve_.get(), result.get(), POINT_CONVERSION_UNCOMPRESSED, out.data(),
                             out.size(), scratch.get()) != 0,
          "OpenSSL refused");
    must(EC_POINT_mul(curve_.get(), result.get(), nullptr, peer_.get(), x.get(), scratch.get()));
    const Number agreed{BN_new()};
    must(EC_POINT_get_affine_coordinates(curve_.get(), result.get(), agreed.get(), nullptr,
                                         scratch.get()));
    BN_bn2bin(agreed.get(), out.data());
  }

 private:
  [[nodiscard]] Number private_value() const {
    Number x{BN_new()};
    must(BN_priv_rand_range(x.get(), EC_GROUP_get0_order(curve_.get())));
    return x;
  }

  Curve curve_;
  Point peer_;
};

// Group 14 with private values of 256 bits, as the protocol has them.
class WithPowers {
 public:
  WithPowers() {
    must(BN_set_word(two_.get(), 2));
    must(BN_MONT_CTX_set(montgomery_.get(), p_.get(), Scratch{BN_CTX_new()}.get()));
    must(BN_rand_range(peer_.get(), p_.get()));
  }
  void exchange() const {
    const Scratch scratch{BN_CTX_new()};
    const Number x{BN_new()};
    must(BN_priv_rand(x.get(), 256, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY));
    BN_set_flags(x.get(), BN_FLG_CONSTTIME);
    const Number result{BN_new()};
    Octets out;
    for (const Number* base : {&two_, &peer_}) {
      must(BN_mod_exp_mont_consttime(result.get(), base->get(), x.get(), p_.get(), scratch.get(),
                                     montgomery_.get()));
      BN_bn2bin(result.get(), out.data());
    }
  }

 private:
  Number p_{BN_get_rfc3526_prime_2048(nullptr)};
  Number two_{BN_new()};
  Number peer_{BN_new()};
  Montgomery montgomery_{BN_MONT_CTX_new()};
};

template <class Way, class... Arguments>
BareDh way(std::string name, Arguments... arguments) {
  return {.name = std::move(name),
          .exchange = [bare = std::make_shared<const Way>(arguments...)] { bare->exchange(); }};
}

}  // namespace

std::vector<BareDh> bare_dh(KeyExchange kind) {
  switch (kind) {
    case KeyExchange::x25519:
      return {way<WithKeys>("EVP", "X25519", nullptr)};
    case KeyExchange::p256:
      return {way<WithKeys>("EVP", "EC", "P-256"),
              way<WithPoints>("EC_POINT", NID_X9_62_prime256v1)};
    case KeyExchange::p384:
      return {way<WithKeys>("EVP", "EC", "P-384"), way<WithPoints>("EC_POINT", NID_secp384r1)};
    case KeyExchange::modp2048:
      break;
  }
  return {way<WithKeys>("EVP", "DH", "modp_2048"), way<WithPowers>("BN")};
}

}  // namespace penstock::bench
