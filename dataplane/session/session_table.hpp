// The sessions of one worker: which SA an SPI names, and what each link sends on.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "penstock/base/limits.hpp"
#include "penstock/base/prefetch.hpp"

#include "dataplane/seat.hpp"
#include "dataplane/session/session.hpp"
#include "dataplane/session/vlan_map.hpp"

namespace penstock::dataplane {

class SessionTable {
 public:
  // Unconfirmed, current and retiring ones of all links; the main core refuses more.
  static constexpr std::size_t capacity = 10240;
  static_assert(capacity >= 3 * limits::max_links && capacity <= limits::max_sessions);

  explicit SessionTable(Seat seat = {});

  // By arithmetic: slot and lane are fields of the number, and the random generation is checked
  // by comparing all of it. Null: no living SA has it, or another worker does.
  [[nodiscard]] InboundSa* find(Spi spi) const {
    const Slot& slot = slots_[spi.slot()];
    const std::uint32_t place = places_[spi.lane()];
    if (place >= slot.lanes) return nullptr;
    InboundSa* sa = slot.first + place;
    return sa->spi == spi ? sa : nullptr;
  }
  // Before a find() of which the slot, or after that the SA, may be far from the caches.
  void fetch_slot(Spi spi) const { prefetch(&slots_[spi.slot()]); }
  void fetch(Spi spi, SequenceNumber sequence) const {
    const Slot& slot = slots_[spi.slot()];
    const std::uint32_t place = places_[spi.lane()];
    if (place < slot.lanes) slot.first[place].fetch(sequence);
  }
  // The session that receives on this SPI, whichever worker has the lane; null: there is none.
  [[nodiscard]] Session* session_of(Spi spi) const {
    Session* session = sessions_[spi.slot()];
    return session != nullptr && session->local_spi_base == spi.base() ? session : nullptr;
  }
  // Whether this share, which may have been freed, is here; `spi` was any of its own. A share made
  // in its place was installed later than whoever asks learnt of it.
  [[nodiscard]] bool has(const Session* share, Spi spi) const {
    return share != nullptr && sessions_[spi.slot()] == share;
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
    std::uint32_t lanes = 0;  // that this worker receives
  };
  static constexpr std::uint8_t elsewhere = 0xff;  // no Session::in is as long
  static_assert(limits::max_lanes < elsewhere);

  std::array<std::uint8_t, limits::max_lanes> places_{};  // of a lane in Session::in
  std::vector<Slot> slots_;
  std::vector<Session*> sessions_;  // by slot
  std::vector<Session*> current_;
  std::vector<Session*> all_;
  VlanMap vlans_;
};

}  // namespace penstock::dataplane
