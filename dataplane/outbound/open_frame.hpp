// Begins and closes the open frame of an SA: inline, since pack does both for every frame.
#pragma once

#include <utility>

#include "dataplane/outbound/path.hpp"

namespace penstock::dataplane::outbound {

// A buffer must be at hand.
inline void open_frame(Path& path, OutboundSa& sa, Time now) {
  sa.open = path.buffers.pop();
  sa.opened_at = now;
  sa.dscp = {};
  path.open.add(sa);
  sa.forecast.begin(sa.shape().payload(), now);
  ++sa.frames_begun;
  sa.packer.begin(MutableBytes{frame_in(sa.open) + frame_layout::header, sa.shape().plaintext()});
}

// Into the batch, which has room.
inline void close_frame(Path& path, OutboundSa& sa) {
  const std::size_t used = sa.packer.used();
  if (used == 0) path.count.add(Counter::dummy_frames);
  sa.forecast.add(used);
  path.count.add(Counter::payload_bytes, used);
  path.count.add(Counter::padding_bytes, sa.packer.finish());
  path.open.remove(sa);
  path.frames.push(std::exchange(sa.open, nullptr), &sa);
}

}  // namespace penstock::dataplane::outbound
