// What the operator is told of the link's circuit breaker: the data plane stops frames that leave
// by the clock while the path loses most of them, and tries again by itself.
#include <fmt/format.h>

#include "controlplane/session/link_state.hpp"

namespace penstock::controlplane {
namespace {

constexpr std::uint32_t everything = 1'000'000;

}  // namespace

void LinkController::State::stopped(std::uint32_t lost_ppm) {
  lost_ppm_ = lost_ppm;
  view_.stopped(stop());
}

void LinkController::State::resumed() {
  if (std::exchange(lost_ppm_, std::nullopt)) view_.resumed();
}

std::string LinkController::State::stop() const {
  // A link in the mode burst has no breaker; this was of the one before a reload.
  if (!lost_ppm_ || config_.shape.mode == ShapeMode::burst) return {};
  const std::string why =
      *lost_ppm_ >= everything
          ? std::string{"nothing of what we send is reported by the far side"}
          : fmt::format("the path lost {} % of the frames to the far side", *lost_ppm_ / 10'000);
  return fmt::format("stopped: {}; it is tried again at a lower rate, by itself", why);
}

}  // namespace penstock::controlplane
