#include "controlplane/pipe/batch.hpp"

#include <utility>

#include "penstock/keys/secret.hpp"

namespace penstock::controlplane::pipe {

Batch::~Batch() { penstock::wipe(bytes); }

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

std::unique_ptr<Batch> BatchPool::lend() {
  dirty_ = 0;  // give_back wipes all of it
  return std::move(hand_);
}

void BatchPool::give_back(std::unique_ptr<Batch> batch) {
  if (spare_.size() >= max_spare) return;
  penstock::wipe(batch->bytes);
  spare_.push_back(std::move(batch));
}

}  // namespace penstock::controlplane::pipe
