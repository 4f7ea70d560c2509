#include "measure.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>

#include "aead.hpp"
#include "ctr_hmac.hpp"
#include "penstock/keys/secret.hpp"
#include "work.hpp"

namespace penstock {
namespace {

constexpr int rounds = 7;
constexpr double never = std::numeric_limits<double>::max();

// Frames of the most common size, all of one SA with a key of zeros, that are worked on over and
// over.
template <class Keys>
class Sample {
 public:
  static constexpr std::size_t count = HashPlan::most_lanes;

  explicit Sample(std::uint8_t tag) : memory_(count * stride + 64) {
    std::byte* at = memory_.fill().data();
    for (std::size_t i = 0; i < count; ++i)
      works_[i] = {.keys = reinterpret_cast<const std::byte*>(&*keys_),
                   .frame = at + i * stride,
                   .size = 1472,
                   .tag_size = tag,
                   .index = 0,
                   .protection = {}};
  }

  [[nodiscard]] Keys& keys() { return *keys_; }
  [[nodiscard]] Batch first(std::size_t frames) const { return Batch{works_}.first(frames); }

 private:
  static constexpr std::size_t stride = 2304;

  SecretBox<Keys> keys_;
  SecretBuffer memory_;
  std::array<Work, count> works_;
};

// Rounds over the managers, forwards and backwards: a clock that speeds up favours none.
template <class Measure>
void for_each_round(std::size_t managers, Measure measure) {
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < managers; ++i) measure(round % 2 == 0 ? i : managers - 1 - i);
}

// Short calls several times over: the clock is read in tens of nanoseconds.
template <class Call>
void keep_least(double& least, Call call) {
  constexpr int repeats = 4;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) call();
  const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
  least = std::min(least, taken.count() / repeats);
}

template <class Aead>
std::vector<double> measure_aead(std::span<IMB_MGR* const> managers) {
  Sample<typename Aead::Keys> sample{aead_tag_size};
  const Batch batch = sample.first(Sample<typename Aead::Keys>::count);
  std::vector<double> costs(managers.size(), never);
  for_each_round(managers.size(), [&](std::size_t manager) {
    Aead aead{managers[manager]};
    aead.expand(EncryptKey{}, sample.keys());
    aead.seal(batch);  // code and tables into the caches
    keep_least(costs[manager], [&] { aead.seal(batch); });
  });
  for (double& cost : costs) cost /= static_cast<double>(batch.size());
  return costs;
}

}  // namespace

CtrHmacCosts measure_ctr_hmac(Protection protection, std::span<IMB_MGR* const> managers) {
  Sample<CtrHmacKeys> sample{traits(protection).max_tag};
  CtrHmac code{protection, {}, managers};
  code.expand(EncryptKey{}, MacKey{}, sample.keys());
  constexpr std::size_t all = HashPlan::most_lanes;
  CtrHmacCosts costs{.cipher = std::vector<double>(managers.size(), never), .hash = {}};
  HashPlan::Costs nothing_yet;
  nothing_yet.fill(never);
  costs.hash.assign(managers.size(), nothing_yet);
  code.add_jobs(sample.first(all));
  CtrHmacBursts& bursts = code.bursts();
  for_each_round(managers.size(), [&](std::size_t manager) {
    bursts.cipher(all, manager);  // code and tables into the caches
    keep_least(costs.cipher[manager], [&] { bursts.cipher(all, manager); });
    bursts.hash(0, 1, manager);
    for (std::size_t frames = 1; frames <= all; ++frames)
      keep_least(costs.hash[manager][frames], [&] { bursts.hash(0, frames, manager); });
  });
  for (double& cost : costs.cipher) cost /= all;
  return costs;
}

std::vector<double> measure_gcm(std::span<IMB_MGR* const> managers) {
  return measure_aead<Gcm>(managers);
}
std::vector<double> measure_chacha20(std::span<IMB_MGR* const> managers) {
  return measure_aead<ChaCha20Poly1305>(managers);
}

}  // namespace penstock
