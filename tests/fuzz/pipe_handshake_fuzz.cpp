// Any bytes at a pipe's handshake, in any pieces, from those who hold the key and those who do not,
// and whatever packets follow: nothing forged gets a key or an exponentiation, nothing that is
// refused leaves more to send, and packets hold only as their sender sealed them.
//
// Input: u8 flags (1 server, 2 not forward, 4 required, 8 the MAC is made good, 16 the packets'
// MACs too), u8 size of the first piece, nonce of 32 bytes, y of 256, h of 32, then packets.
// What is missing is zeros.
#include <algorithm>
#include <array>
#include <vector>

#include "fuzz.hpp"
#include "penstock/crypto/pipe_packets.hpp"
#include "penstock/crypto/primitives.hpp"

#include "controlplane/pipe/handshake.hpp"

using namespace penstock;
using namespace penstock::controlplane;
using pipe::Handshake;
using pipe::Refusal;
using pipe::Role;

namespace {

constexpr std::size_t nonce_size = 32;
constexpr std::size_t value_size = 256;
constexpr std::size_t proof_size = value_size + 32;
constexpr std::size_t before_packets = nonce_size + proof_size;
constexpr std::size_t max_packets = 4;

class FixedEntropy final : public Entropy {
 public:
  void fill(MutableBytes out) override { std::ranges::fill(out, std::byte{0x5a}); }
  crypto::EphemeralKey ephemeral_key(KeyExchange kind) override {
    ++keys_made;
    std::array<std::byte, 32> x;
    fill(x);
    return crypto::EphemeralKey::from_private(kind, x);
  }
  unsigned keys_made = 0;
};

const crypto::FileKey& file_key() {
  static const crypto::FileKey key = crypto::derive_file_key(as_bytes("fuzz"));
  return key;
}

PipeEngine& engine() {
  static PipeEngine one = [] {
    const auto plan = EnginePlan::measure({.allow_slow = true, .is_for_pipes = true});
    fuzz::require(plan.has_value());
    auto made = PipeEngine::create(*plan);
    fuzz::require(made.has_value());
    return std::move(*made);
  }();
  return one;
}

struct Input {
  explicit Input(Bytes bytes)
      : flags(load_u8(bytes.data())), piece(load_u8(&bytes[1])), said(before_packets) {
    const Bytes rest = bytes.subspan(2);
    std::ranges::copy(rest.first(std::min(rest.size(), said.size())), said.begin());
    if (rest.size() > said.size())
      packets.assign(rest.begin() + static_cast<std::ptrdiff_t>(said.size()), rest.end());
    packets.resize(std::min(packets.size() / pipe_packet::size, max_packets) * pipe_packet::size);
  }
  [[nodiscard]] Role role() const { return has(1) ? Role::server : Role::client; }
  [[nodiscard]] pipe::Secrecy secrecy() const {
    return {.is_forward = !has(2), .is_required = has(4)};
  }
  [[nodiscard]] bool has(unsigned flag) const { return (flags & flag) != 0; }

  unsigned flags;
  std::size_t piece;
  std::vector<std::byte> said;  // nonce, y, h
  std::vector<std::byte> packets;
};

// As who holds the key: h of what stands in the input as y.
void make_mac_good(Input& input, Bytes own_nonce) {
  crypto::Nonce own{};
  crypto::Nonce peer{};
  std::ranges::copy(own_nonce, own.begin());
  std::ranges::copy(Bytes{input.said}.first(nonce_size), peer.begin());
  const bool is_client = input.role() == Role::client;
  const auto macs =
      crypto::derive_pipe_exchange_keys(file_key(), is_client ? own : peer, is_client ? peer : own);
  crypto::hmac_sha256((is_client ? macs.dhmac_server : macs.dhmac_client).reveal(),
                      {Bytes{input.said}.subspan(nonce_size, value_size)},
                      std::span{input.said}.last<32>());
}

std::optional<Refusal> feed_in_pieces(Handshake& side, Bytes bytes, std::size_t piece) {
  while (!bytes.empty()) {
    const std::size_t size =
        std::min({bytes.size(), side.wanted(), piece == 0 ? bytes.size() : piece});
    if (size == 0) return std::nullopt;
    if (const auto refusal = side.feed(bytes.first(size))) return refusal;
    bytes = bytes.subspan(size);
  }
  return std::nullopt;
}

// What the input has as packets, as the far side seals texts of it or as they are.
void open_packets(Input& input, const crypto::PipeDirectionKeys& keys) {
  std::array<std::uint16_t, max_packets> lengths{};
  const std::size_t count = input.packets.size() / pipe_packet::size;
  const std::vector<std::byte> texts = input.packets;
  if (input.has(16)) {
    for (std::size_t i = 0; i < count; ++i)
      lengths[i] = static_cast<std::uint16_t>(
          1 + load_be16(&texts[i * pipe_packet::size + pipe_packet::text]) % pipe_packet::text);
    PipeKeys seal = engine().expand(keys);
    engine().seal(seal, input.packets.data(), std::span{lengths}.first(count));
  }
  const auto said = lengths;
  PipeKeys open = engine().expand(keys);
  const std::size_t opened =
      engine().open(open, input.packets.data(), std::span{lengths}.first(count));
  fuzz::require(opened == (input.has(16) ? count : 0));
  for (std::size_t i = 0; i < opened; ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i * pipe_packet::size);
    fuzz::require(lengths[i] == said[i]);
    fuzz::require(std::equal(texts.begin() + at, texts.begin() + at + lengths[i],
                             input.packets.begin() + at));
  }
  fuzz::require(opened == count || std::ranges::all_of(input.packets, [](std::byte byte) {
                  return byte == std::byte{};
                }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  Input input{fuzz::bytes(data, size)};
  FixedEntropy entropy;
  Handshake side{input.role(), input.secrecy(), file_key(), entropy};
  fuzz::require(side.wanted() == nonce_size && side.output().size() == nonce_size);
  if (input.has(8)) make_mac_good(input, side.output());
  const auto refusal = feed_in_pieces(side, input.said, input.piece);
  fuzz::require(side.wanted() == 0);
  fuzz::require(refusal.has_value() != side.is_complete());
  if (refusal) {
    fuzz::require(side.output().empty());
    fuzz::require(input.role() == Role::client || entropy.keys_made == 0);
    fuzz::require((refusal == Refusal::bad_mac) != input.has(8));
    return 0;
  }
  fuzz::require(input.has(8));
  fuzz::require(side.output().size() == nonce_size + proof_size);
  fuzz::require(entropy.keys_made == (input.has(2) ? 0 : 1));
  const crypto::PipeSessionKeys keys = side.take_keys();
  open_packets(input, input.role() == Role::client ? keys.server : keys.client);
  return 0;
}
