// Entropy that gives what it is told to give, in order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "controlplane/handshake/entropy.hpp"

namespace penstock::controlplane {

class ScriptedEntropy final : public Entropy {
 public:
  using Draw = std::vector<std::byte>;
  explicit ScriptedEntropy(std::deque<Draw> draws) : draws_(std::move(draws)) {}

  void fill(MutableBytes out) override {
    const Draw next = draw();
    ASSERT_EQ(next.size(), out.size());
    std::ranges::copy(next, out.begin());
  }
  [[nodiscard]] crypto::EphemeralKey ephemeral_key(KeyExchange kind) override {
    return crypto::EphemeralKey::from_private(kind, draw());
  }

 private:
  Draw draw() {
    EXPECT_FALSE(draws_.empty());
    if (draws_.empty()) return {};
    Draw next = std::move(draws_.front());
    draws_.pop_front();
    return next;
  }
  std::deque<Draw> draws_;
};

}  // namespace penstock::controlplane
