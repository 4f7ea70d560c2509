#include "controlplane/pipe/batch.hpp"

#include <sys/mman.h>

#include <new>
#include <utility>

#include "penstock/keys/secret.hpp"

namespace penstock::controlplane::pipe {

Batch::~Batch() { penstock::wipe(bytes); }

void* Batch::operator new(std::size_t size) {
  void* const at =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc{};
  ::madvise(at, size, MADV_DONTDUMP);  // a core dump has no business with users' text
  return at;
}

void Batch::operator delete(void* at, std::size_t size) noexcept { ::munmap(at, size); }

Batch& BatchPool::hand() {
  if (hand_ != nullptr) return *hand_;
  if (spare_.empty()) {
    hand_ = std::make_unique_for_overwrite<Batch>();
  } else {
    hand_ = std::move(spare_.back());
    spare_.pop_back();
  }
  return *hand_;
}

void BatchPool::wipe() {
  if (dirty_ == 0) return;
  penstock::wipe(std::span{hand_->bytes}.first(dirty_));
  dirty_ = 0;
}

std::unique_ptr<Batch> BatchPool::lend(std::size_t kept) {
  if (dirty_ > kept) penstock::wipe(std::span{hand_->bytes}.subspan(kept, dirty_ - kept));
  dirty_ = 0;
  return std::move(hand_);
}

void BatchPool::give_back(std::unique_ptr<Batch> batch) {
  if (spare_.size() >= max_spare) return;
  penstock::wipe(batch->bytes);
  spare_.push_back(std::move(batch));
}

}  // namespace penstock::controlplane::pipe
