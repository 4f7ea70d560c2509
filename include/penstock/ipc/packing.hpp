// How well frames are used: what the counters say of the room in the frames that were sealed.
#pragma once

#include <optional>

#include "penstock/ipc/counters.hpp"

namespace penstock {

struct Packing {
  // Of that room. Empty while no frame was sealed; of frames, while each was a dummy.
  std::optional<double> fill;             // blocks and their headers; the rest is padding
  std::optional<double> packets;          // the packets alone
  std::optional<double> packets_a_frame;  // of the frames that carry any
};

[[nodiscard]] Packing packing_of(const Counters& counters);

}  // namespace penstock
