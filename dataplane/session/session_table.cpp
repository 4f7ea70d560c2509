#include "dataplane/session/session_table.hpp"

#include <algorithm>

#include "penstock/base/check.hpp"

namespace penstock::dataplane {

void SessionTable::insert(Session& session) {
  Slot& slot = slots_[session.local_spi_base.slot()];
  check(slot.first == nullptr, "a slot holds one session");
  check(all_.size() < capacity, "the main core refuses more sessions");
  slot = {.first = session.in.data(), .lanes = static_cast<std::uint32_t>(session.in.size())};
  for (InboundSa& sa : session.in) sa.session = &session;
  if (session.out) session.out->session = &session;
  vlans_.give(session.link, session.vlan);
  all_.push_back(&session);
}

void SessionTable::erase(Session& session) {
  slots_[session.local_spi_base.slot()] = {};
  std::erase(all_, &session);
  if (current_[session.link] == &session) current_[session.link] = nullptr;
}

}  // namespace penstock::dataplane
