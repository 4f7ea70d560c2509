// A frame in the hands of one protection's code: header in place, keys expanded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "penstock/base/check.hpp"
#include "penstock/base/prefetch.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/crypto/sa_keys.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {

// Without initialisers, since an array of 64 is made for every batch and seldom filled.
struct Work {
  const std::byte* keys;  // as Protections::expand wrote them
  std::byte* frame;
  std::uint16_t size;  // of the frame, and of the tag at its end
  std::uint8_t tag_size;
  std::uint8_t index;  // of its job in the batch
  Protection protection;

  [[nodiscard]] static Work of(const ExpandedKeys& keys, std::byte* frame, std::size_t index) {
    check(keys.memory_ != nullptr || keys.protection() == Protection::none,
          "keys that were moved away seal and open nothing");
    return {.keys = keys.memory_,
            .frame = frame,
            .size = keys.shape().size,
            .tag_size = keys.shape().tag,
            .index = static_cast<std::uint8_t>(index),
            .protection = keys.protection()};
  }
  [[nodiscard]] std::byte* text() const { return frame + frame_layout::header; }
  [[nodiscard]] std::size_t text_size() const { return under_mac() - frame_layout::header; }
  [[nodiscard]] std::byte* tag() const { return frame + under_mac(); }
  // Header and ciphertext.
  [[nodiscard]] std::size_t under_mac() const { return std::size_t{size} - tag_size; }
};

using Batch = std::span<const Work>;

// Which frames of a batch were opened: bit i for the i-th.
using OpenedMask = std::uint64_t;

[[nodiscard]] inline OpenedMask all_of(Batch batch) {
  return batch.empty() ? 0 : ~OpenedMask{0} >> (64 - batch.size());
}

// The bytes of an object that ipsec-mb reads or writes.
inline std::uint8_t* library_bytes(std::byte* at) { return reinterpret_cast<std::uint8_t*>(at); }
inline const std::uint8_t* library_bytes(const std::byte* at) {
  return reinterpret_cast<const std::uint8_t*>(at);
}

}  // namespace penstock
