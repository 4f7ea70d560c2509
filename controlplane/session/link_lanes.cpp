// What the operator is told of lanes of the far side that do not arrive: the link is up by the
// others, and the flows on these are lost.
#include <bit>

#include <fmt/format.h>

#include "controlplane/session/link_state.hpp"

namespace penstock::controlplane {
namespace {

// "1, 3": the places of the bits that are set, counted from `first`.
std::string numbers(std::uint64_t bits, unsigned first) {
  std::string list;
  for (; bits != 0; bits &= bits - 1)
    list += fmt::format("{}{}", list.empty() ? "" : ", ", first + std::countr_zero(bits));
  return list;
}

}  // namespace

void LinkController::State::lanes_turned(const ipc::SessionId& id, unsigned count,
                                         std::uint64_t silent) {
  const Session* current = sessions_.current();
  if (current == nullptr || current->id != id) return;
  const bool was_whole = lanes_.silent == 0;
  lanes_ = {.count = count, .silent = silent};
  if (silent != 0)
    view_.warn(missing_lanes());
  else if (!was_whole)
    view_.lanes_back();
}

std::string LinkController::State::missing_lanes() const {
  const Session* current = sessions_.current();
  if (lanes_.silent == 0 || current == nullptr) return {};
  const bool is_one = std::has_single_bit(lanes_.silent);
  const std::string_view plural = is_one ? "" : "s";
  // Behind a NAT all leave from one port, and no network tells them apart.
  const std::string ports = config_.nat || config_.roam
                                ? std::string{}
                                : fmt::format(", UDP source port{} {}", plural,
                                              numbers(lanes_.silent, current->peer.port));
  return fmt::format("nothing comes on lane{} {} of {}{}: what the far side sends there is lost; "
                     "look for a firewall or a path that does not carry {}",
                     plural, numbers(lanes_.silent, 0), lanes_.count, ports,
                     is_one ? "it" : "them");
}

}  // namespace penstock::controlplane
