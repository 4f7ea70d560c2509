#include "penstock/crypto/pipe_packets.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "choices.hpp"
#include "ctr_hmac_bursts.hpp"
#include "ipsec_mb.hpp"
#include "penstock/base/check.hpp"
#include "pipe_self_test.hpp"
#include "slow_frames.hpp"

namespace penstock {
namespace {

constexpr auto protection = Protection::aes256_ctr_sha256;
constexpr std::size_t tag_size = 32;
static_assert(pipe_packet::ciphertext + tag_size == pipe_packet::size);
// The number stands where the tag goes while a packet is worked on, so that what is under the MAC
// is in one piece.
constexpr std::size_t number_size = 8;
constexpr std::size_t under_mac = pipe_packet::ciphertext + number_size;
static_assert(number_size <= tag_size);

// So many packets, one behind the other.
struct Packets {
  std::byte* first;
  std::size_t count;

  [[nodiscard]] std::byte* at(std::size_t i) const { return first + i * pipe_packet::size; }
  [[nodiscard]] std::byte* tag(std::size_t i) const { return at(i) + pipe_packet::ciphertext; }
  [[nodiscard]] MutableBytes from(std::size_t i) const {
    return {at(i), (count - i) * pipe_packet::size};
  }
};

using ReceivedTags = std::array<std::array<std::byte, tag_size>, max_batch>;
using SlowTags = std::array<SlowFrames::FullTag, max_batch>;

void pad(std::byte* packet, std::size_t length) {
  check(length >= 1 && length <= pipe_packet::text, "a packet has 1 to 1024 bytes of text");
  std::memset(packet + length, 0, pipe_packet::text - length);
  store_be32(packet + pipe_packet::text, static_cast<std::uint32_t>(length));
}

const SlowFrames::Keys& slow(const std::byte* keys) {
  return *reinterpret_cast<const SlowFrames::Keys*>(keys);
}

// How many of the packets, which are in the clear, have a good length in front of the first that
// has not.
std::size_t read_lengths(Packets packets, std::span<std::uint16_t> lengths) {
  for (std::size_t i = 0; i < packets.count; ++i) {
    const std::uint32_t length = load_be32(packets.at(i) + pipe_packet::text);
    if (length == 0 || length > pipe_packet::text) return i;
    lengths[i] = static_cast<std::uint16_t>(length);
  }
  return packets.count;
}

}  // namespace

void PipeKeys::spend() noexcept {
  wipe(expanded_.fill());
  next_ = end;
}

struct PipeEngine::State {
  std::vector<IpsecMbManager> managers;
  std::optional<CtrHmacBursts> fast;  // none: OpenSSL does everything
  SecretBox<SlowTags> slow_tags;

  // What the steps below are to work on; the numbers are in their places.
  void begin(const std::byte* keys, Packets packets) noexcept;
  void cipher(const std::byte* keys, Packets packets) noexcept;
  void hash(const std::byte* keys, Packets packets) noexcept;
  [[nodiscard]] const std::byte* tag(std::size_t i) const {
    return fast ? fast->tag(i) : (*slow_tags)[i].data();
  }
  // How many hold in front of the first that does not.
  [[nodiscard]] std::size_t verify(const ReceivedTags& received, std::size_t count) noexcept;
};

void PipeEngine::State::begin(const std::byte* keys, Packets packets) noexcept {
  if (!fast) return;
  for (std::size_t i = 0; i < packets.count; ++i)
    fast->set(i, {.keys = reinterpret_cast<const CtrHmacKeys*>(keys),
                  .at = packets.at(i),
                  .number = packets.tag(i),
                  .text = pipe_packet::ciphertext,
                  .hashed = under_mac});
}

void PipeEngine::State::cipher(const std::byte* keys, Packets packets) noexcept {
  if (fast) return fast->cipher(packets.count);
  for (std::size_t i = 0; i < packets.count; ++i)
    SlowFrames::run_ctr(slow(keys),
                        std::span<const std::byte, number_size>{packets.tag(i), number_size},
                        {packets.at(i), pipe_packet::ciphertext});
}

void PipeEngine::State::hash(const std::byte* keys, Packets packets) noexcept {
  if (fast) return fast->hash(packets.count);
  for (std::size_t i = 0; i < packets.count; ++i)
    (*slow_tags)[i] = SlowFrames::hmac(slow(keys), {packets.at(i), under_mac});
}

std::size_t PipeEngine::State::verify(const ReceivedTags& received, std::size_t count) noexcept {
  std::size_t good = 0;
  while (good < count && equal_constant_time({tag(good), tag_size}, received[good])) ++good;
  // The tags of refused packets would be their forgeries.
  for (std::size_t i = good; i < count; ++i) {
    if (fast)
      fast->wipe_tag(i);
    else
      wipe((*slow_tags)[i]);
  }
  return good;
}

PipeEngine::PipeEngine(std::unique_ptr<State> state) : state_(std::move(state)) {}
PipeEngine::PipeEngine(PipeEngine&&) noexcept = default;
PipeEngine& PipeEngine::operator=(PipeEngine&&) noexcept = default;
PipeEngine::~PipeEngine() = default;

Result<PipeEngine> PipeEngine::create(const EnginePlan& plan) {
  const EnginePlan::Choices& choices = plan.choices();
  auto managers = create_managers(choices.managers);
  if (!managers) return std::unexpected{managers.error()};
  auto state = std::make_unique<State>();
  state->managers = std::move(*managers);
  if (!choices.is_slow) {
    constexpr std::size_t clear = 0;
    state->fast.emplace(protection, choices.aes256_ctr_sha256, handles(state->managers), clear);
  }
  PipeEngine engine{std::move(state)};
  if (auto passed = self_test(engine); !passed) return std::unexpected{passed.error()};
  return engine;
}

PipeKeys PipeEngine::expand(const crypto::PipeDirectionKeys& keys) const {
  if (state_->fast) {
    PipeKeys made{sizeof(CtrHmacKeys)};
    state_->fast->expand(keys.encrypt, keys.mac,
                         *::new (made.expanded_.fill().data()) CtrHmacKeys{});
    return made;
  }
  PipeKeys made{sizeof(SlowFrames::Keys)};
  SlowFrames::expand(protection, keys.encrypt, keys.mac,
                     *::new (made.expanded_.fill().data()) SlowFrames::Keys{});
  return made;
}

void PipeEngine::seal(PipeKeys& keys, std::byte* packets,
                      std::span<const std::uint16_t> lengths) noexcept {
  const Packets batch{.first = packets, .count = lengths.size()};
  check(batch.count <= max_batch, "too many packets in a batch");
  const Bytes expanded = keys.expanded_.reveal();
  check(!expanded.empty() && keys.next_ <= PipeKeys::end - batch.count,
        "keys that were moved away, or whose numbers are used up, seal nothing");
  for (std::size_t i = 0; i < batch.count; ++i) {
    pad(batch.at(i), lengths[i]);
    store_be64(batch.tag(i), keys.next_++);
  }
  state_->begin(expanded.data(), batch);
  state_->cipher(expanded.data(), batch);
  state_->hash(expanded.data(), batch);
  for (std::size_t i = 0; i < batch.count; ++i) std::memcpy(batch.tag(i), state_->tag(i), tag_size);
}

std::size_t PipeEngine::open(PipeKeys& keys, std::byte* packets,
                             std::span<std::uint16_t> lengths) noexcept {
  Packets batch{.first = packets, .count = lengths.size()};
  check(batch.count <= max_batch, "too many packets in a batch");
  const Bytes expanded = keys.expanded_.reveal();
  check(!expanded.empty(), "keys that were moved away open nothing");
  std::size_t good = 0;
  if (keys.next_ <= PipeKeys::end - batch.count) [[likely]] {
    ReceivedTags received;
    for (std::size_t i = 0; i < batch.count; ++i) {
      std::memcpy(received[i].data(), batch.tag(i), tag_size);
      store_be64(batch.tag(i), keys.next_++);
    }
    state_->begin(expanded.data(), batch);
    state_->hash(expanded.data(), batch);
    const Packets held{.first = packets, .count = state_->verify(received, batch.count)};
    if (held.count != 0) state_->cipher(expanded.data(), held);
    good = read_lengths(held, lengths);
  }
  if (good != batch.count) [[unlikely]] {
    wipe(batch.from(good));
    keys.spend();
  }
  return good;
}

}  // namespace penstock
