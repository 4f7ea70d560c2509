// What the operator is told of the link's circuit breaker: the data plane stops frames that leave
// by the clock while the path loses most of them, and tries again by itself.
#include <fmt/format.h>

#include "controlplane/session/link_state.hpp"

namespace penstock::controlplane {
namespace {

constexpr std::uint32_t everything = 1'000'000;

// `lost_ppm` is empty where it opened before we were there.
std::string why(const std::optional<std::uint32_t>& lost_ppm) {
  if (!lost_ppm) return "too little of what we send arrived at the far side";
  if (*lost_ppm >= everything) return "nothing of what we send is reported by the far side";
  return fmt::format("the path lost {} % of the frames to the far side", *lost_ppm / 10'000);
}

std::string_view advice(const Shape& shape) {
  if (shape.adapt) return "set a lower `least` in shape";
  return shape.mode == ShapeMode::quantized ? "lower `steps` in shape, or add adapt = true to it"
                                            : "lower `rate` in shape, or add adapt = true to it";
}

}  // namespace

void LinkController::State::stopped(std::uint32_t lost_ppm) {
  lost_ppm_ = lost_ppm;
  view_.stopped(stop(ipc::BreakerState::open));
}

void LinkController::State::resumed() {
  if (std::exchange(lost_ppm_, std::nullopt)) view_.resumed();
}

std::string LinkController::State::stop(ipc::BreakerState breaker) const {
  using enum ipc::BreakerState;
  const Shape& shape = config_.shape;
  // A link in the mode burst has no breaker; this was of the one before a reload.
  if ((!lost_ppm_ && breaker == closed) || shape.mode == ShapeMode::burst) return {};
  // Each lane has a breaker of its own; this is of the worst.
  const std::string who =
      facts_ && facts_->lanes > 1 ? fmt::format("a lane of {} ", facts_->lanes) : "";
  if (breaker == probing)
    return fmt::format("{}was stopped, and is tried at a lower rate now: {}; if it stops again, {}",
                       who, why(lost_ppm_), advice(shape));
  return fmt::format(
      "{}stopped: {}; it is tried again at a lower rate, by itself; if it stops again, {}", who,
      why(lost_ppm_), advice(shape));
}

}  // namespace penstock::controlplane
