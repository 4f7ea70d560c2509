// Gives every worker queues of its own at both ports, whatever the devices have.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "dataplane/device/open_port.hpp"
#include "dataplane/device/port.hpp"
#include "dataplane/steering/doorbell.hpp"
#include "dataplane/steering/mesh.hpp"
#include "dataplane/steering/steered_queue.hpp"

namespace penstock::dataplane {

// Whether the device's own queues will do; otherwise packets pass from worker to worker.
[[nodiscard]] bool serves_all(const Port& port, PortSide side, unsigned workers);

// The queues of one port.
class SteeredPort {
 public:
  // `bells` and `sockets` as Mesh has them. All of it outlives this.
  SteeredPort(Port& port, PortSide side, std::uint16_t udp_port, std::span<Doorbell> bells,
              std::span<const int> sockets);

  [[nodiscard]] PortQueue& queue(unsigned worker);

 private:
  Port& port_;
  std::unique_ptr<Mesh> mesh_;  // where they will not do
  std::vector<std::unique_ptr<SteeredQueue>> steered_;
};

}  // namespace penstock::dataplane
