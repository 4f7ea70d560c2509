#include "dataplane/steering/mesh.hpp"

#include "penstock/base/check.hpp"

namespace penstock::dataplane {

Mesh::Mesh(MeshShape shape, std::span<Doorbell> bells, std::span<const int> sockets)
    : shape_(shape),
      bells_(bells),
      in_(std::size_t{shape.queues} * shape.workers),
      out_(shape.workers) {
  check(shape.queues > 0 && shape.queues <= shape.workers, "no worker has two queues");
  for (unsigned from = 0; from < shape.workers; ++from) {
    for (unsigned to = 0; shape.has_queue(from) && to < shape.workers; ++to)
      if (to != from) bells[to].watch(in_[from * shape.workers + to].emplace(sockets[to]));
    if (shape.has_queue(from)) continue;
    const unsigned to = shape.sender_for(from);
    bells[to].watch(out_[from].emplace(sockets[to]));
  }
}

HandOver* Mesh::in(unsigned from, unsigned to) {
  if (!shape_.has_queue(from)) return nullptr;
  auto& ring = in_[from * shape_.workers + to];
  return ring ? &*ring : nullptr;
}

HandOver* Mesh::out(unsigned from, unsigned to) {
  auto& ring = out_[from];
  return ring && shape_.sender_for(from) == to ? &*ring : nullptr;
}

}  // namespace penstock::dataplane
