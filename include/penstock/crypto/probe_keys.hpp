// Sealing and opening path probes: packets like frames, each of a size of its own, under keys that
// serve nothing else. Probes are few, so OpenSSL does it, one at a time, on the main core.
// Formats are a frame's; source: docs/protocol.md, "Frames" and "Path probes".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "penstock/base/bytes.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/keys/secret.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {

// The keys of one direction. Wiped with the object. Moved to new objects alone: by an assignment,
// which swaps, the old keys would get a number that they may have had already.
class ProbeKeys {
 public:
  ProbeKeys(ProbeKeys&&) noexcept = default;
  ~ProbeKeys() = default;
  // `tag` is one of the protection's lengths: a programmer's error otherwise.
  ProbeKeys(Protection protection, std::uint8_t tag, const EncryptKey& encrypt, const MacKey& mac);

  [[nodiscard]] Protection protection() const { return protection_; }
  // Where the plaintext stands in a packet, which has at least limits::min_frame_size bytes.
  [[nodiscard]] MutableBytes text(MutableBytes packet) const {
    return packet.subspan(frame_layout::header, packet.size() - frame_layout::header - tag_);
  }

 protected:
  // The header is in place, and the plaintext or the ciphertext.
  void seal_in_place(MutableBytes packet) const;
  [[nodiscard]] bool open_in_place(MutableBytes packet) const;

 private:
  using Room = std::array<std::byte, 96>;  // for the keys as slow_frames has them
  SecretBox<Room> room_;
  Protection protection_;
  std::uint8_t tag_;
};

// What a sender has: the keys, and the sequence numbers, each of which is used once.
class ProbeSealer : public ProbeKeys {
 public:
  ProbeSealer(ProbeKeys keys, Spi spi);

  // The plaintext is in place. Writes header and tag; false, and the packet wiped, at the limit.
  [[nodiscard]] bool seal(MutableBytes packet);

 private:
  Spi spi_;
  std::uint64_t next_ = 0;
  std::uint64_t hard_limit_;
};

// What a receiver has. Replays are its caller's to find.
class ProbeOpener : public ProbeKeys {
 public:
  explicit ProbeOpener(ProbeKeys keys);

  // The plaintext, decrypted in place; empty where the tag does not hold, and for everything once
  // too much was forged.
  [[nodiscard]] Bytes open(MutableBytes packet);

 private:
  std::uint64_t failed_opens_ = 0;
  std::uint64_t max_failed_opens_;
};

}  // namespace penstock
