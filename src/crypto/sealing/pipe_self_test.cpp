#include "pipe_self_test.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "hash_plan.hpp"
#include "penstock/crypto/primitives.hpp"
#include "self_test.hpp"

namespace penstock {
namespace {

// The SHA-256 of 64 packets, numbers 0 to 63, one behind the other, as another implementation seals
// them (Python's cryptography and hashlib). What they hold stands in the functions below.
constexpr std::string_view digest_of_all =
    "9fe91549d6c0b448459eb989f1bebade8d78b1a066de3aceea8fecfe66c65c36";

constexpr std::size_t packet_count = 64;

using Packets = std::vector<std::byte>;
using Lengths = std::array<std::uint16_t, packet_count>;

MutableBytes packet(Packets& packets, std::size_t i) {
  return MutableBytes{packets}.subspan(i * pipe_packet::size, pipe_packet::size);
}

Lengths all_lengths() {
  Lengths lengths;
  for (std::size_t i = 0; i < packet_count; ++i)
    lengths[i] = static_cast<std::uint16_t>(pipe_packet::text - i * 331 % pipe_packet::text);
  return lengths;
}

std::byte text_byte(std::size_t i, std::size_t at) {
  return static_cast<std::byte>((7 * at + 31 * i + 3) & 0xff);
}

Packets clear_packets(std::size_t count) {
  Packets packets(count * pipe_packet::size);
  const Lengths lengths = all_lengths();
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t at = 0; at < lengths[i]; ++at) packet(packets, i)[at] = text_byte(i, at);
  return packets;
}

class Examination {
 public:
  explicit Examination(PipeEngine& engine) : engine_(engine) {
    for (std::size_t i = 0; i < keys_.encrypt.size; ++i)
      keys_.encrypt.fill()[i] = static_cast<std::byte>(i);
    for (std::size_t i = 0; i < 32; ++i) keys_.mac.fill()[i] = static_cast<std::byte>(64 + i);
  }

  // Every packet alone; remembers the result.
  bool seals_as_known() {
    sealed_ = clear_packets(packet_count);
    PipeKeys keys = engine_.expand(keys_);
    for (std::size_t i = 0; i < packet_count; ++i)
      engine_.seal(keys, packet(sealed_, i).data(), std::span{lengths_}.subspan(i, 1));
    return to_hex(crypto::sha256({sealed_})) == digest_of_all;
  }

  // The first `count` packets in one batch: the same bytes, and back.
  bool agrees_on_a_batch(std::size_t count) {
    Packets packets = clear_packets(count);
    PipeKeys seal_keys = engine_.expand(keys_);
    engine_.seal(seal_keys, packets.data(), std::span{lengths_}.first(count));
    return std::equal(packets.begin(), packets.end(), sealed_.begin()) &&
           opens(std::move(packets), count) == count;
  }

  // A wrong byte in the middle is found: what stands before it is opened, and nothing else.
  bool refuses_a_forgery(std::size_t count) {
    const std::size_t forged = count / 2;
    Packets packets(sealed_.begin(),
                    sealed_.begin() + static_cast<std::ptrdiff_t>(count * pipe_packet::size));
    packet(packets, forged)[forged] ^= std::byte{1};
    return opens(std::move(packets), forged) == forged;
  }

 private:
  // How many are opened; with texts and lengths as they were in the first `good`, and zeros behind.
  std::size_t opens(Packets packets, std::size_t good) {
    Lengths lengths{};
    const std::size_t count = packets.size() / pipe_packet::size;
    PipeKeys keys = engine_.expand(keys_);
    const std::size_t opened = engine_.open(keys, packets.data(), std::span{lengths}.first(count));
    for (std::size_t i = 0; i < count; ++i) {
      const MutableBytes bytes = packet(packets, i);
      if (i < good && lengths[i] != lengths_[i]) return packet_count + 1;
      for (std::size_t at = 0; at < (i < good ? lengths_[i] : bytes.size()); ++at)
        if (bytes[at] != (i < good ? text_byte(i, at) : std::byte{})) return packet_count + 1;
    }
    return opened;
  }

  PipeEngine& engine_;
  crypto::PipeDirectionKeys keys_;
  Lengths lengths_ = all_lengths();
  Packets sealed_;
};

}  // namespace

Result<void> self_test(PipeEngine& engine) {
  Examination examination{engine};
  const auto is_right = [&](std::size_t count) {
    return examination.agrees_on_a_batch(count) && examination.refuses_a_forgery(count);
  };
  if (examination.seals_as_known() && std::ranges::all_of(telling_batches, is_right)) return {};
  return fail(
      ErrorKind::system,
      "the self-test of pipes failed: this machine computes wrong results, or the installed "
      "libipsec-mb or libcrypto is damaged; trust neither");
}

}  // namespace penstock
