#include "dataplane/session/session_table.hpp"

#include <algorithm>

#include "penstock/base/check.hpp"

namespace penstock::dataplane {

SessionTable::SessionTable(Seat seat)
    : slots_(limits::max_sessions), sessions_(limits::max_sessions), current_(VlanMap::links) {
  std::uint8_t place = 0;
  for (std::size_t lane = 0; lane < places_.size(); ++lane)
    places_[lane] = seat.receives(lane) ? place++ : elsewhere;
  all_.reserve(capacity);
}

void SessionTable::insert(Session& session) {
  const std::uint32_t at = session.local_spi_base.slot();
  Slot& slot = slots_[at];
  check(sessions_[at] == nullptr, "a slot holds one session");
  check(all_.size() < capacity, "the main core refuses more sessions");
  sessions_[at] = &session;
  slot = {.first = session.in.data(), .lanes = static_cast<std::uint32_t>(session.in.size())};
  for (InboundSa& sa : session.in) sa.session = &session;
  if (session.out) session.out->session = &session;
  vlans_.give(session.link, session.vlan);
  all_.push_back(&session);
}

void SessionTable::erase(Session& session) {
  slots_[session.local_spi_base.slot()] = {};
  sessions_[session.local_spi_base.slot()] = nullptr;
  std::erase(all_, &session);
  if (current_[session.link] == &session) current_[session.link] = nullptr;
}

}  // namespace penstock::dataplane
