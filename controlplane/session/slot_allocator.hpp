// Which session slots of the data plane are taken, and the SPI bases made from them:
// random generation | slot | lane 0. Shared by all links of a site.
#pragma once

#include <bitset>
#include <optional>
#include <utility>

#include "penstock/base/limits.hpp"
#include "penstock/wire/frame.hpp"

#include "controlplane/handshake/entropy.hpp"

namespace penstock::controlplane {

class SlotAllocator;

// A taken slot: gives it back when it dies. Move-only.
class SlotLease {
 public:
  SlotLease() = default;
  SlotLease(SlotLease&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)), base_(other.base_) {}
  SlotLease& operator=(SlotLease&& other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(base_, other.base_);
    return *this;
  }
  ~SlotLease();

  [[nodiscard]] Spi base() const { return base_; }

 private:
  friend class SlotAllocator;
  SlotLease(SlotAllocator* owner, Spi base) : owner_(owner), base_(base) {}

  SlotAllocator* owner_ = nullptr;
  Spi base_;
};

class SlotAllocator {
 public:
  // `entropy` outlives the allocator, and the allocator every lease.
  explicit SlotAllocator(Entropy& entropy) : entropy_(&entropy) {}

  // The next free slot in turn, with a fresh generation that is never 0 (so that no SPI
  // is). Empty when all limits::max_sessions are taken.
  [[nodiscard]] std::optional<SlotLease> take();
  // The slot of a session that the data plane has already.
  [[nodiscard]] SlotLease adopt(Spi base);

 private:
  friend class SlotLease;

  Entropy* entropy_;
  std::bitset<limits::max_sessions> taken_;
  std::uint32_t next_ = 0;
};

}  // namespace penstock::controlplane
