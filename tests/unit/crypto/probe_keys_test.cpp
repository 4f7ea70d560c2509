#include "penstock/crypto/probe_keys.hpp"

#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "sealed_by_openssl.hpp"
#include "test_sa.hpp"

namespace penstock {
namespace {

static_assert(std::is_nothrow_move_constructible_v<ProbeSealer> &&
              !std::is_move_assignable_v<ProbeSealer> &&
              !std::is_copy_constructible_v<ProbeSealer>);

constexpr Spi spi{0x01020340};

struct Keys {
  Protection protection;
  std::uint8_t tag;
  EncryptKey encrypt;
  MacKey mac;

  [[nodiscard]] ProbeSealer sealer() const {
    return {ProbeKeys{protection, tag, encrypt, mac}, spi};
  }
  [[nodiscard]] ProbeOpener opener() const {
    return ProbeOpener{ProbeKeys{protection, tag, encrypt, mac}};
  }
};

Keys random_keys(Protection protection, std::size_t tag, Dice& dice) {
  return {protection, static_cast<std::uint8_t>(tag), random_key<EncryptKey>(dice),
          random_key<MacKey>(dice)};
}

// From docs/protocol.md alone; the header's type is 6.
Frame sealed_by_openssl(const Keys& keys, Frame packet, std::uint64_t sequence) {
  auto header = oracle::header(spi, sequence);
  header[0] = std::byte{6};
  std::ranges::copy(header, packet.begin());
  const ProtectionTraits& row = traits(keys.protection);
  const MutableBytes text =
      MutableBytes{packet}.subspan(header.size(), packet.size() - header.size() - keys.tag);
  const MutableBytes tag = MutableBytes{packet}.last(keys.tag);
  std::array<std::byte, 16> counter{};
  if (is_aead(keys.protection)) {
    store_be64(&counter[4], sequence);
    oracle::aead(keys.protection, keys.encrypt.reveal(), Bytes{counter}.first(12), header, text,
                 tag);
  } else if (keys.protection != Protection::none) {
    store_be64(counter.data(), sequence);
    oracle::ctr(keys.encrypt.reveal().first(row.encrypt_key), counter, text);
    std::array<std::byte, 48> mac{};
    oracle::hmac(keys.mac.reveal().first(row.mac_key),
                 Bytes{packet}.first(packet.size() - keys.tag),
                 MutableBytes{mac}.first(row.mac_key));
    std::ranges::copy(Bytes{mac}.first(keys.tag), tag.begin());
  }
  return packet;
}

TEST(ProbeKeys, SealAsOpensslDoesAndOpenWhatTheySealed) {
  Dice dice;
  for (const ProtectionTraits& row : protections) {
    for (const std::uint8_t tag : tags_of(row.protection)) {
      const Keys keys = random_keys(row.protection, tag, dice);
      ProbeSealer sealer = keys.sealer();
      ProbeOpener opener = keys.opener();
      std::uint64_t sequence = 0;
      for (const std::size_t size : {256, 1024, 1472, 9000}) {
        Frame packet(size);
        dice.fill(packet);
        const Frame clear = packet;
        ASSERT_TRUE(sealer.seal(packet));
        EXPECT_TRUE(is_same(packet, sealed_by_openssl(keys, clear, sequence++)));
        const Bytes text = opener.open(packet);
        EXPECT_TRUE(is_same(text, Bytes{clear}.subspan(16, size - 16 - tag)));
      }
    }
  }
}

TEST(ProbeKeys, NothingOpensThatWasChanged) {
  Dice dice;
  for (const ProtectionTraits& row : protections) {
    if (row.protection == Protection::none) continue;
    const Keys keys = random_keys(row.protection, row.max_tag, dice);
    ProbeSealer sealer = keys.sealer();
    ProbeOpener opener = keys.opener();
    for (const std::size_t at : {0, 1, 4, 15, 16, 200, 255}) {
      Frame packet(256);
      ASSERT_TRUE(sealer.seal(packet));
      packet[at] ^= std::byte{1};
      EXPECT_TRUE(opener.open(packet).empty()) << row.name << " " << at;
    }
    Frame cut(300);
    ASSERT_TRUE(sealer.seal(cut));
    EXPECT_TRUE(opener.open(MutableBytes{cut}.first(299)).empty());
  }
}

TEST(ProbeKeys, NoNumberIsUsedTwice) {
  Dice dice;
  const Keys keys = random_keys(Protection::aes256_gcm, 16, dice);
  ProbeSealer sealer = keys.sealer();
  for (std::uint64_t i = 0; i < 100; ++i) {
    Frame packet(256 + i);
    ASSERT_TRUE(sealer.seal(packet));
    EXPECT_EQ(load_be64(&packet[8]), i);
  }
}

}  // namespace
}  // namespace penstock
