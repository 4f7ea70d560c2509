// The way from the sealed socket to the plain one: read packets, open, write their texts.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "controlplane/pipe/batch.hpp"
#include "controlplane/pipe/stream.hpp"

namespace penstock::controlplane::pipe {

class OpenFlow {
 public:
  // Moves what can be moved now. Reads no more before all it has opened is written; what was
  // good before a bad packet is written before the refusal.
  [[nodiscard]] Flow move(Source& sealed, Sink& plain, PipeKeys& keys, Tools tools);

 private:
  [[nodiscard]] Flow fill(Source& sealed, PipeKeys& keys, Tools tools);
  void open(Batch& batch, std::size_t size, PipeKeys& keys, Tools tools);
  [[nodiscard]] Flow flush(Sink& plain, Tools tools);
  [[nodiscard]] bool step_over(const Batch& batch, std::size_t written);

  using Part = std::array<std::byte, pipe_packet::size>;

  std::unique_ptr<Batch> kept_;  // lent while the sink does not take all
  std::size_t next_ = 0;         // the packet whose text has to be written next
  std::size_t count_ = 0;
  std::size_t offset_ = 0;      // of its text that is written
  std::unique_ptr<Part> part_;  // a packet of which the rest is still to come
  std::size_t part_size_ = 0;
  bool is_bad_ = false;
};

}  // namespace penstock::controlplane::pipe
