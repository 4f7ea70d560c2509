// What can be saved of a large TCP packet whose segmentation is still to do (64 KB in one block)
// when some of its frames are lost: the segments that are whole, as smaller packets of the same
// kind, the way segmentation itself would have cut them (sequence number, lengths, flags). Without
// it one lost frame costs all 45 segments of a full packet, and a path that loses two frames in a
// hundred costs more than half of all the data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "penstock/base/bytes.hpp"
#include "penstock/wire/virtio_net.hpp"

namespace penstock {

struct Hole {
  std::uint32_t from = 0;  // bytes of the block
  std::uint32_t to = 0;
  bool operator==(const Hole&) const = default;
};

class Salvage {
 public:
  // `block`: of kind offload_ethernet, virtio-net header included, at its full length; what stands
  // in the holes is never handed out. `holes`: in order, apart from each other, at least one.
  // The block is overwritten bit by bit.
  Salvage(MutableBytes block, std::span<const Hole> holes);

  // The next run of whole segments, a block like the one before; empty: there are no more, or
  // the packet is not TCP, or its headers are not whole. Valid until the next call.
  [[nodiscard]] Bytes next();

 private:
  // With the virtio-net header; a run's own are written over the segment before it, which is longer
  // (rebuild_virtio_net).
  static constexpr std::size_t max_headers = 256;

  [[nodiscard]] bool prepare();
  [[nodiscard]] std::size_t start_of(std::size_t segment) const;  // its payload's, in the block
  // The first that ends behind `from`; the block's end when there is none.
  [[nodiscard]] Hole hole_behind(std::size_t from) const;
  [[nodiscard]] Bytes cut(std::size_t first, std::size_t last);

  MutableBytes block_;
  std::span<const Hole> holes_;
  VirtioNetHeader offload_;
  std::array<std::byte, max_headers> headers_{};  // as they came
  std::size_t network_ = 0;                       // of the packet, where its IP header begins
  std::size_t segments_ = 0;                      // of the whole packet
  std::size_t next_ = 0;
};

}  // namespace penstock
