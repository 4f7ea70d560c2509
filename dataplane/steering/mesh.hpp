// The rings between the workers of a site, for one port whose queues do not suit them: one for
// each ordered pair that has something to hand over.
//
//   in    a worker with a queue -> any other           received, and the other's
//   out   a worker without -> the one that sends for it    sealed or rebuilt, to be sent
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/steering/doorbell.hpp"
#include "dataplane/steering/hand_over.hpp"

namespace penstock::dataplane {

struct MeshShape {
  unsigned workers = 1;
  unsigned queues = 1;  // the port's; worker w < queues owns queue w

  [[nodiscard]] constexpr bool has_queue(unsigned worker) const { return worker < queues; }
  // Who sends for a worker; itself, if it has a queue.
  [[nodiscard]] constexpr unsigned sender_for(unsigned worker) const { return worker % queues; }
  [[nodiscard]] constexpr std::size_t rings() const {
    return std::size_t{queues} * (workers - 1) + (workers - queues);
  }
};

class Mesh {
 public:
  // A doorbell for each worker, which watches what comes to it from now on; they outlive the mesh,
  // and are not used any more when it ends. `sockets`: the NUMA node of each worker, -1: any.
  Mesh(MeshShape shape, std::span<Doorbell> bells, std::span<const int> sockets);

  [[nodiscard]] const MeshShape& shape() const { return shape_; }
  [[nodiscard]] Doorbell& bell(unsigned worker) { return bells_[worker]; }
  // Null where that pair has nothing to hand over.
  [[nodiscard]] HandOver* in(unsigned from, unsigned to);
  [[nodiscard]] HandOver* out(unsigned from, unsigned to);

 private:
  MeshShape shape_;
  std::span<Doorbell> bells_;
  std::vector<std::optional<HandOver>> in_;   // [from * workers + to]
  std::vector<std::optional<HandOver>> out_;  // [from]
};

}  // namespace penstock::dataplane
