// An SA of which the test knows the keys: both its ends, and what its frames should be.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "dice.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/crypto/frame_engine.hpp"
#include "penstock/keys/secret.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {

using Frame = std::vector<std::byte>;

// Of every length modulo the blocks of ciphers (16, 64) and hashes (64, 128).
inline constexpr std::array<std::uint16_t, 16> frame_sizes{
    256, 257, 271, 319, 320, 321, 1000, 1279, 1452, 1472, 1473, 2048, 4096, 8191, 8999, 9000};

template <class Key>
Key random_key(Dice& dice) {
  Key key;
  dice.fill(key.fill());
  return key;
}

// Compilers make a slow loop of std::ranges::equal where they do not optimise.
inline bool is_same(Bytes a, Bytes b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}
inline bool is_zero(Bytes bytes) {
  static constexpr std::array<std::byte, limits::max_frame_size> zeros{};
  return is_same(bytes, Bytes{zeros}.first(bytes.size()));
}

struct TestSa {
  Protection protection;
  FrameShape shape;
  Spi spi;
  EncryptKey encrypt;
  MacKey mac;
  ExpandedKeys opener;
  SealKeys sealer;

  TestSa(const FrameEngine& engine, Protection of, FrameShape frame_shape, EncryptKey encrypt_key,
         MacKey mac_key, Spi frame_spi)
      : protection(of),
        shape(frame_shape),
        spi(frame_spi),
        encrypt(std::move(encrypt_key)),
        mac(std::move(mac_key)),
        opener(engine.expand(protection, shape, encrypt, mac)),
        sealer(engine.expand(protection, shape, encrypt, mac), spi) {}

  // Of random keys.
  TestSa(const FrameEngine& engine, Protection of, FrameShape frame_shape, Dice& dice)
      : TestSa(engine, of, frame_shape, random_key<EncryptKey>(dice), random_key<MacKey>(dice),
               {static_cast<std::uint32_t>(dice.number() | 1)}) {}

  [[nodiscard]] std::uint64_t next() const { return sealer.next().value; }
  // The plaintext within a frame of this SA.
  template <class Range>
  [[nodiscard]] auto text_of(Range& frame) const {
    return std::span{frame}.subspan(frame_layout::header, shape.plaintext());
  }
};

// The first tag length is min_tag, the last max_tag; 0 for NULL.
inline std::vector<std::uint8_t> tags_of(Protection protection) {
  std::vector<std::uint8_t> tags;
  for (unsigned tag = traits(protection).min_tag; tag <= traits(protection).max_tag; ++tag)
    tags.push_back(static_cast<std::uint8_t>(tag));
  return tags;
}

inline FrameShape shape_of(std::size_t size, std::size_t tag) {
  return {.size = static_cast<std::uint16_t>(size), .tag = static_cast<std::uint8_t>(tag)};
}
// With the tag that a link gets by default.
inline FrameShape default_shape(Protection protection, std::size_t size = 1472) {
  return shape_of(size, fit_tag(protection, limits::default_tag));
}

inline TestSa random_sa(const FrameEngine& engine, Protection protection, Dice& dice) {
  const std::vector<std::uint8_t> tags = tags_of(protection);
  return {engine, protection, shape_of(dice.one_of(frame_sizes), dice.one_of(tags)), dice};
}
inline TestSa random_sa(const FrameEngine& engine, Dice& dice) {
  return random_sa(engine, dice.one_of(protections).protection, dice);
}

// A frame as the packer leaves it: plaintext in place, and anything where header and tag will be.
inline Frame clear_frame(FrameShape shape, Dice& dice) {
  Frame frame(shape.size);
  dice.fill(frame);
  return frame;
}

}  // namespace penstock
