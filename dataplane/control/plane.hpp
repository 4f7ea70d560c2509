// What the control server needs of the rest of the main core.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "penstock/base/address.hpp"
#include "penstock/base/bytes.hpp"
#include "penstock/ipc/counters.hpp"
#include "penstock/ipc/messages.hpp"

#include "dataplane/session/mailbox.hpp"

namespace penstock::dataplane {

class Plane {
 public:
  virtual ~Plane() = default;

  [[nodiscard]] virtual std::size_t workers() const = 0;
  // False: its mailbox is full.
  [[nodiscard]] virtual bool command(std::size_t worker, const Command& command) = 0;
  virtual void send_datagram(const Endpoint& to, Bytes datagram) = 0;
  // A handshake message as a control block of the session whose shares these are.
  virtual void send_inside(std::span<const std::unique_ptr<Session>> shares, Bytes message) = 0;
  // From these addresses, and no others, handshake messages are expected.
  virtual void expect(std::vector<Endpoint> peers) = 0;
  [[nodiscard]] virtual Counters total() const = 0;  // of all workers, and the main core
  [[nodiscard]] virtual Counters of_worker(std::size_t worker) const = 0;
  // Of the links that are paced or probed, or were: headers are left to the caller.
  [[nodiscard]] virtual std::vector<ipc::LinkStats> link_stats() const = 0;
};

}  // namespace penstock::dataplane
