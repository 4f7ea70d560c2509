#include "dataplane/steering/steering.hpp"

namespace penstock::dataplane {

bool serves_all(const Port& port, PortSide side, unsigned workers) {
  if (workers == 1) return true;
  if (port.queue_count() < workers) return false;
  switch (port.info().spreads) {
    case PortInfo::Spreads::by_device:
      return true;
    case PortInfo::Spreads::flows_alone:
      return side == PortSide::plain;
    case PortInfo::Spreads::by_software:
      break;
  }
  return false;
}

SteeredPort::SteeredPort(Port& port, PortSide side, std::uint16_t udp_port,
                         std::span<Doorbell> bells, std::span<const int> sockets)
    : port_(port) {
  const auto workers = static_cast<unsigned>(bells.size());
  if (serves_all(port, side, workers)) return;
  mesh_ = std::make_unique<Mesh>(MeshShape{.workers = workers, .queues = port.queue_count()}, bells,
                                 sockets);
  for (unsigned worker = 0; worker < workers; ++worker)
    steered_.push_back(std::make_unique<SteeredQueue>(
        SteeredQueue::Setup{.worker = worker,
                            .side = side,
                            .udp_port = udp_port,
                            .own = mesh_->shape().has_queue(worker) ? &port.queue(worker) : nullptr,
                            .port = port.in_mbufs()},
        *mesh_));
}

PortQueue& SteeredPort::queue(unsigned worker) {
  return steered_.empty() ? port_.queue(worker) : *steered_[worker];
}

}  // namespace penstock::dataplane
