#include "sa_cipher.hpp"

#include <utility>

namespace penstock {

static_assert(std::is_trivially_destructible_v<SaCipher::Expanded>);

SaCipher::SaCipher(SaCipher&& other) noexcept
    : expanded_(std::exchange(other.expanded_, nullptr)) {}

SaCipher& SaCipher::operator=(SaCipher&& other) noexcept {
  std::swap(expanded_, other.expanded_);
  return *this;
}

SaCipher::~SaCipher() {
  if (expanded_ != nullptr)
    secret_memory::release(reinterpret_cast<std::byte*>(expanded_), sizeof(Expanded));
}

FrameShape SaCipher::shape() const { return expanded_->shape; }

}  // namespace penstock
