// P-256 and P-384 (FIPS 186-4), from OpenSSL's points. Its ECDH objects would also multiply the
// peer's point by the group's order, at the price of a second exchange. These groups have a prime
// order, so every point of the curve but infinity is a good one. With one number and one point
// OpenSSL multiplies in constant time on both curves.
#include <memory>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "diffie_hellman.hpp"
#include "openssl.hpp"
#include "penstock/base/check.hpp"

namespace penstock::crypto {
namespace {

using openssl::BigNumber;
using openssl::BigNumberScratch;
using openssl::input;
using openssl::must;
using openssl::must_have;
using openssl::output;
using Point = std::unique_ptr<EC_POINT, openssl::Deleter<&EC_POINT_clear_free>>;

// Shared by all threads, never changed.
template <int nid>
const EC_GROUP* curve() {
  static const auto group = must_have<std::unique_ptr<EC_GROUP, openssl::Deleter<&EC_GROUP_free>>>(
      EC_GROUP_new_by_curve_name(nid));
  return group.get();
}

// What one multiplication of a point by a secret number needs; all of it is wiped.
struct Multiplication {
  const EC_GROUP* curve;
  BigNumber x;
  BigNumberScratch scratch = must_have<BigNumberScratch>(BN_CTX_new());
  Point result = must_have<Point>(EC_POINT_new(curve));

  Multiplication(const EC_GROUP* group, Bytes number)
      : curve(group),
        x(must_have<BigNumber>(
            BN_bin2bn(input(number), static_cast<int>(number.size()), nullptr))) {
    BN_set_flags(x.get(), BN_FLG_CONSTTIME);
  }
};

template <int nid>
bool is_private_value(Bytes x) {
  const auto number =
      must_have<BigNumber>(BN_bin2bn(input(x), static_cast<int>(x.size()), nullptr));
  return BN_is_zero(number.get()) == 0 &&
         BN_cmp(number.get(), EC_GROUP_get0_order(curve<nid>())) < 0;
}

template <int nid>
void public_value(Bytes x, MutableBytes out) {
  const Multiplication work{curve<nid>(), x};
  must(EC_POINT_mul(work.curve, work.result.get(), work.x.get(), nullptr, nullptr,
                    work.scratch.get()));
  const std::size_t written =
      EC_POINT_point2oct(work.curve, work.result.get(), POINT_CONVERSION_UNCOMPRESSED, output(out),
                         out.size(), work.scratch.get());
  check(written == out.size(), "a point has a fixed length");
}

template <int nid>
bool agree(const KeyPair& own, Bytes peer, MutableBytes out) {
  constexpr std::byte uncompressed{POINT_CONVERSION_UNCOMPRESSED};
  if (peer[0] != uncompressed) return false;
  const Multiplication work{curve<nid>(), own.x};
  const auto point = must_have<Point>(EC_POINT_new(work.curve));
  // Refuses coordinates that are not below p, and points that are not on the curve.
  if (EC_POINT_oct2point(work.curve, point.get(), input(peer), peer.size(), work.scratch.get()) !=
      1)
    return false;
  must(EC_POINT_mul(work.curve, work.result.get(), nullptr, point.get(), work.x.get(),
                    work.scratch.get()));
  const auto x = must_have<BigNumber>(BN_new());
  must(EC_POINT_get_affine_coordinates(work.curve, work.result.get(), x.get(), nullptr,
                                       work.scratch.get()));
  const int size = static_cast<int>(out.size());
  check(BN_bn2binpad(x.get(), output(out), size) == size, "a coordinate has a fixed length");
  return true;
}

template <int nid>
constexpr Group group_on{&is_private_value<nid>, &public_value<nid>, &agree<nid>};

}  // namespace

constinit const Group p256 = group_on<NID_X9_62_prime256v1>;
constinit const Group p384 = group_on<NID_secp384r1>;

}  // namespace penstock::crypto
