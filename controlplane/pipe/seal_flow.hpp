// The way from the plain socket to the sealed one: read texts into packets, seal, write.
#pragma once

#include <cstddef>
#include <memory>

#include "controlplane/pipe/batch.hpp"
#include "controlplane/pipe/stream.hpp"

namespace penstock::controlplane::pipe {

class SealFlow {
 public:
  // Moves what can be moved now. Reads no more before all it has read is written.
  [[nodiscard]] Flow move(Source& plain, Sink& sealed, PipeKeys& keys, Tools tools);

 private:
  [[nodiscard]] Flow fill(Source& plain, PipeKeys& keys, Tools tools);
  [[nodiscard]] Flow flush(Sink& sealed, Tools tools);

  std::unique_ptr<Batch> kept_;  // lent while the sink does not take all
  std::size_t begin_ = 0;        // what has to be written: bytes of the batch
  std::size_t end_ = 0;
};

}  // namespace penstock::controlplane::pipe
