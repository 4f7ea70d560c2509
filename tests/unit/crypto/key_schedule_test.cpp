#include "penstock/crypto/key_schedule.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "penstock/base/limits.hpp"
#include "vectors.hpp"

namespace penstock::crypto {
namespace {

std::string text(const ByteVector& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::array<std::byte, 32> array_of(const ByteVector& bytes) {
  std::array<std::byte, 32> out{};
  std::ranges::copy(fixed<32>(bytes), out.begin());
  return out;
}

constexpr auto to_responder = Direction::initiator_to_responder;
constexpr auto to_initiator = Direction::responder_to_initiator;

// The same schedule written a second time, in Python's hashlib and hmac (make_vectors.py).
TEST(KeySchedule, KnownAnswers) {
  for (Record& r : read_vectors("key_schedule.txt")) {
    const FileKey k = derive_file_key(r["key_file"]);
    EXPECT_EQ(to_hex(k.reveal()), to_hex(r["K"]));
    const LinkKey p = derive_link_key(k, text(r["initiator"]), text(r["responder"]));
    EXPECT_EQ(to_hex(p.reveal()), to_hex(r["P"]));
    EXPECT_EQ(to_hex(derive_key_id(p)), to_hex(r["key_id"]));
    EXPECT_EQ(to_hex(derive_message_mac(p, 1).reveal()), to_hex(r["k1"]));
    EXPECT_EQ(to_hex(derive_message_mac(p, 2).reveal()), to_hex(r["k2"]));

    const Nonce nonce_i = array_of(r["nonce_i"]);
    const Nonce nonce_r = array_of(r["nonce_r"]);
    const ExchangeKeys keys = derive_exchange_keys(p, nonce_i, nonce_r);
    EXPECT_EQ(to_hex(keys.dhmac_initiator.reveal()), to_hex(r["dhmac_i"]));
    EXPECT_EQ(to_hex(keys.dhmac_responder.reveal()), to_hex(r["dhmac_r"]));
    EXPECT_EQ(to_hex(keys.k3.reveal()), to_hex(r["k3"]));
    const SessionSecret secret = derive_session_secret(p, nonce_i, nonce_r, r["shared"]);
    EXPECT_EQ(to_hex(secret.reveal()), to_hex(r["secret"]));
    EXPECT_EQ(to_hex(derive_message_4_seal(secret, array_of(r["t3"]), r["y_r"]).reveal()),
              to_hex(r["message_4"]));

    const Digest t4 = array_of(r["t4"]);
    for (const Direction direction : {to_responder, to_initiator}) {
      for (const std::uint16_t lane : std::array<std::uint16_t, 4>{0, 1, 63, 0x1234}) {
        const std::string suffix =
            std::to_string(static_cast<int>(direction)) + "_" + std::to_string(lane);
        ByteVector encrypt(32);
        ByteVector mac(48);
        derive_encrypt_key(secret, t4, direction, lane, encrypt);
        derive_mac_key(secret, t4, direction, lane, mac);
        EXPECT_EQ(to_hex(encrypt), to_hex(r["encrypt_" + suffix]));
        EXPECT_EQ(to_hex(mac), to_hex(r["mac_" + suffix]));
      }
    }
  }
}

TEST(KeySchedule, EachRoleHasItsOwnLinkKey) {
  const FileKey k = derive_file_key(as_bytes("a key file of at least 32 bytes .."));
  const auto link = [&k](std::string_view i, std::string_view r) {
    return to_hex(derive_link_key(k, i, r).reveal());
  };
  EXPECT_NE(link("alpha", "beta"), link("beta", "alpha"));
  EXPECT_NE(link("ab", "c"), link("a", "bc")) << "the lengths keep the names apart";
}

TEST(KeySchedule, NoTwoKeysOfASessionAreEqual) {
  const SessionSecret secret;
  const Digest t4{};
  std::set<std::string> keys;
  std::size_t made = 0;
  for (const Direction direction : {to_responder, to_initiator}) {
    for (std::uint16_t lane = 0; lane < limits::max_lanes; ++lane) {
      ByteVector key(32);
      derive_encrypt_key(secret, t4, direction, lane, key);
      keys.insert(to_hex(key));
      derive_mac_key(secret, t4, direction, lane, key);
      keys.insert(to_hex(key));
      made += 2;
    }
  }
  EXPECT_EQ(keys.size(), made);
}

TEST(KeySchedule, OnlyMessages1And2HaveAKeyOfTheirOwn) {
  const LinkKey p;
  EXPECT_DEATH((void)derive_message_mac(p, 3), "messages 1 and 2");
}

}  // namespace
}  // namespace penstock::crypto
