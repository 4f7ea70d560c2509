#include "controlplane/session/slot_allocator.hpp"

namespace penstock::controlplane {

SlotLease::~SlotLease() {
  if (owner_ != nullptr) owner_->taken_.reset(base_.slot());
}

std::optional<SlotLease> SlotAllocator::take() {
  for (unsigned tried = 0; tried < limits::max_sessions; ++tried) {
    const std::uint32_t slot = next_;
    next_ = (next_ + 1) % limits::max_sessions;
    if (taken_[slot]) continue;
    taken_.set(slot);
    constexpr std::uint64_t generations = 1u << limits::spi_generation_bits;
    const auto generation = static_cast<std::uint32_t>(1 + entropy_->below(generations - 1));
    return SlotLease{this, Spi::make(generation, slot, 0)};
  }
  return std::nullopt;
}

SlotLease SlotAllocator::adopt(Spi base) {
  taken_.set(base.slot());
  return SlotLease{this, base};
}

}  // namespace penstock::controlplane
