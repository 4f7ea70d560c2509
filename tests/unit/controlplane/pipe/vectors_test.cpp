// The pipes of tests/vectors, which another implementation made: from the same randomness this one
// makes the same bytes, keys and packets.
#include "tests/unit/crypto/vectors.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "penstock/crypto/pipe_packets.hpp"
#include "tests/unit/controlplane/scripted_entropy.hpp"

#include "controlplane/pipe/handshake.hpp"

namespace penstock::controlplane::pipe {
namespace {

using crypto::ByteVector;
using crypto::Record;

constexpr std::size_t nonce_size = 32;

bool is_zero(const ByteVector& x) {
  return std::ranges::all_of(x, [](std::byte byte) { return byte == std::byte{}; });
}

// One of the two, which hears what the record has of the other.
crypto::PipeSessionKeys run(Record& r, Role role) {
  const std::string own = role == Role::client ? "c" : "s";
  const ByteVector& far = r[role == Role::client ? "sent_s" : "sent_c"];
  const ByteVector& x = r["x_" + own];
  const ByteVector nonce(r["sent_" + own].begin(), r["sent_" + own].begin() + nonce_size);
  ScriptedEntropy entropy{{nonce, x}};
  const crypto::FileKey key = crypto::derive_file_key(r["key_file"]);
  Handshake side{role, {.is_forward = !is_zero(x)}, key, entropy};
  EXPECT_EQ(side.feed(Bytes{far}.first(nonce_size)), std::nullopt);
  EXPECT_EQ(side.feed(Bytes{far}.subspan(nonce_size)), std::nullopt);
  EXPECT_EQ(to_hex(side.output()), to_hex(r["sent_" + own]));
  return side.take_keys();
}

void expect_keys(Record& r, const std::string& way, const crypto::PipeDirectionKeys& keys) {
  EXPECT_EQ(to_hex(keys.encrypt.reveal()), to_hex(r["e_" + way]));
  EXPECT_EQ(to_hex(keys.mac.reveal().first<32>()), to_hex(r["h_" + way]));
}

void expect_packets(Record& r, const std::string& way, const crypto::PipeDirectionKeys& keys) {
  auto engine =
      PipeEngine::create(EnginePlan::measure({.allow_slow = true, .is_for_pipes = true}).value());
  ASSERT_TRUE(engine.has_value());
  PipeKeys seal = engine->expand(keys);
  PipeKeys open = engine->expand(keys);
  for (int number = 0; number < 3; ++number) {
    const std::string name = way + "_" + std::to_string(number);
    const ByteVector text = r["text_" + name];
    ByteVector packet = text;
    packet.resize(pipe_packet::size);
    std::array lengths{static_cast<std::uint16_t>(text.size())};
    engine->seal(seal, packet.data(), lengths);
    EXPECT_EQ(to_hex(packet), to_hex(r["packet_" + name])) << name;
    lengths[0] = 0;
    ASSERT_EQ(engine->open(open, packet.data(), lengths), 1) << name;
    ASSERT_EQ(lengths[0], text.size());
    EXPECT_TRUE(std::ranges::equal(Bytes{packet}.first(lengths[0]), text)) << name;
  }
}

TEST(PipeVectors, AreMadeAlike) {
  for (Record& r : crypto::read_vectors("pipes.txt"))
    for (const Role role : {Role::client, Role::server}) {
      const crypto::PipeSessionKeys keys = run(r, role);
      expect_keys(r, "c", keys.client);
      expect_keys(r, "s", keys.server);
      expect_packets(r, "c", keys.client);
      expect_packets(r, "s", keys.server);
    }
}

TEST(PipeVectors, HaveEachKindOfSecrecyAndALeadingZero) {
  bool has_zero = false;
  std::array<std::array<bool, 2>, 2> has{};
  for (Record& r : crypto::read_vectors("pipes.txt")) {
    const bool is_one = is_zero(r["x_c"]) || is_zero(r["x_s"]);
    has[is_zero(r["x_c"])][is_zero(r["x_s"])] = true;
    has_zero |= !is_one && r["y_sc"].front() == std::byte{};
  }
  EXPECT_TRUE(has[0][0] && has[0][1] && has[1][0] && has[1][1]);
  EXPECT_TRUE(has_zero);
}

}  // namespace
}  // namespace penstock::controlplane::pipe
