// Sealing and opening by FrameEngine, as ways of a contest.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "contest.hpp"
#include "frame_pool.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/crypto/engine_plan.hpp"
#include "penstock/crypto/frame_engine.hpp"

namespace penstock::bench {

// An engine and how it was planned. Ends the program with the reason where there is none.
struct Engine {
  explicit Engine(const EngineOptions& options);

  EnginePlan plan;
  FrameEngine frames;
};

// SAs of one protection; the frame at position p of a pool belongs to SA p modulo their number.
class Sas {
 public:
  Sas(Engine& engine, Protection protection, FrameShape shape, std::size_t count);

  [[nodiscard]] Way seal(const std::string& name, std::size_t batch);
  // Stops the program when a frame is refused: refusing is cheaper than opening.
  [[nodiscard]] Way open(const std::string& name, std::size_t batch);
  // Every frame of the pool sealed, as a receiver finds them.
  void seal_all(const FramePool& pool);

 private:
  FrameEngine& engine_;
  std::vector<SealKeys> seal_;
  std::vector<ExpandedKeys> open_;
};

}  // namespace penstock::bench
