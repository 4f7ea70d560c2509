// Chooses the SA that carries each packet. Fails closed: without a live session nothing leaves.
#include "dataplane/outbound/path.hpp"

namespace penstock::dataplane::outbound {
namespace {

// A plain port feeds one link: the config's first.
constexpr std::uint32_t only_link = 0;

}  // namespace

void steer(Path& path) {
  Session* session = path.sessions.current(only_link);
  if (session == nullptr || !session->out) {
    path.count.drop(DropReason::no_session, path.packet_count);
    path.packet_count = 0;
    return;
  }
  for (Packet& packet : std::span{path.packets}.first(path.packet_count))
    packet.sa = &*session->out;
}

}  // namespace penstock::dataplane::outbound
