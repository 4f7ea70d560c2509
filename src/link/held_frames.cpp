#include "penstock/link/held_frames.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace penstock {
namespace {

void for_each_bit(std::span<const std::uint64_t> words, auto&& visit) {
  for (std::size_t word = 0; word < words.size(); ++word) {
    for (std::uint64_t bits = words[word]; bits != 0; bits &= bits - 1) {
      visit(word * 64 + static_cast<unsigned>(std::countr_zero(bits)));
    }
  }
}

}  // namespace

HeldFrames::HeldFrames(HeldBudget& budget)
    : budget_(&budget), slots_(std::make_unique_for_overwrite<HeldFrame[]>(window)) {}

HeldFrames::HeldFrames(HeldFrames&& other) noexcept
    : occupied_(std::exchange(other.occupied_, {})),
      budget_(other.budget_),
      slots_(std::move(other.slots_)) {}

HeldFrames& HeldFrames::operator=(HeldFrames&& other) noexcept {
  if (this == &other) return *this;
  forget();
  occupied_ = std::exchange(other.occupied_, {});
  budget_ = other.budget_;
  slots_ = std::move(other.slots_);
  return *this;
}

HeldFrames::~HeldFrames() { forget(); }

// Writes nothing where nothing is held: who frees the ring of a session that its worker gave back
// is another thread, and the budget is the worker's.
void HeldFrames::forget() noexcept {
  if (is_empty()) return;
  for (const std::uint64_t bits : occupied_) {
    budget_->held -= static_cast<std::uint32_t>(std::popcount(bits));
  }
}

void HeldFrames::put(std::uint64_t number, const HeldFrame& held) {
  slots_[number % window] = held;
  occupied_[word(number)] |= bit(number);
  ++budget_->held;
}

HeldFrame HeldFrames::take(std::uint64_t number) {
  occupied_[word(number)] &= ~bit(number);
  --budget_->held;
  return slots_[number % window];
}

std::uint64_t HeldFrames::first(std::uint64_t from) const {
  // The word of `from` is looked at twice: from its bit upwards, and whole at the end.
  for (unsigned step = 0; step <= words; ++step) {
    const std::uint64_t start = from - from % word_bits + std::uint64_t{step} * word_bits;
    std::uint64_t bits = occupied_[word(start)];
    if (step == 0) bits &= ~std::uint64_t{0} << from % word_bits;
    if (bits != 0) return start + static_cast<unsigned>(std::countr_zero(bits));
  }
  return last_sequence.value;
}

std::uint64_t HeldFrames::last_arrived_by(std::uint64_t time, std::uint64_t from) const {
  std::uint64_t last = from;
  for_each_bit(occupied_, [&](std::uint64_t slot) {
    const std::uint64_t number = from + (slot - from) % window;
    if (slots_[slot].arrived <= time) last = std::max(last, number);
  });
  return last;
}

std::uint64_t HeldFrames::earliest_arrival() const {
  std::uint64_t earliest = ~std::uint64_t{0};
  for_each_bit(occupied_,
               [&](std::uint64_t slot) { earliest = std::min(earliest, slots_[slot].arrived); });
  return earliest;
}

}  // namespace penstock
