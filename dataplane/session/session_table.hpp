// The sessions of one worker: which SA an SPI names, and what each link sends on.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "penstock/base/limits.hpp"

#include "dataplane/session/session.hpp"
#include "dataplane/session/vlan_map.hpp"

namespace penstock::dataplane {

class SessionTable {
 public:
  // Unconfirmed, current and retiring ones of all links; the main core refuses more.
  static constexpr std::size_t capacity = 10240;
  static_assert(capacity >= 3 * limits::max_links && capacity <= limits::max_sessions);

  SessionTable() : slots_(limits::max_sessions), current_(VlanMap::links) {
    all_.reserve(capacity);
  }

  // By arithmetic: slot and lane are fields of the number, and the random generation is checked
  // by comparing all of it. Null: no living SA has it.
  [[nodiscard]] InboundSa* find(Spi spi) const {
    const Slot& slot = slots_[spi.slot()];
    if (spi.lane() >= slot.lanes) return nullptr;
    InboundSa* sa = slot.first + spi.lane();
    return sa->spi == spi ? sa : nullptr;
  }

  void insert(Session& session);
  void erase(Session& session);
  [[nodiscard]] std::span<Session* const> all() const { return all_; }

  // Whose packets are whose; an insert gives the session's link its VLAN.
  [[nodiscard]] const VlanMap& vlans() const { return vlans_; }
  [[nodiscard]] VlanMap& vlans() { return vlans_; }

  // What the link sends on; null: nothing may leave. Also null of what is no link in a VlanMap.
  [[nodiscard]] Session* current(std::uint32_t link) const { return current_[link]; }
  void set_current(std::uint32_t link, Session* session) { current_[link] = session; }

 private:
  struct Slot {
    InboundSa* first = nullptr;
    std::uint32_t lanes = 0;
  };
  std::vector<Slot> slots_;
  std::vector<Session*> current_;
  std::vector<Session*> all_;
  VlanMap vlans_;
};

}  // namespace penstock::dataplane
