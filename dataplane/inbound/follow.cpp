// Watches where the frames of a session that roams come from. Believes no address: what it sees
// only makes the main core ask there.
#include "dataplane/inbound/path.hpp"

namespace penstock::dataplane::inbound {
namespace {

// A sighting may tell of many frames, and a few a second are enough to follow anybody.
constexpr Time pause = std::chrono::milliseconds{100};

}  // namespace

void follow(Path& path, const Frame& frame, Time now) {
  Session& session = *frame.sa->session;
  const Endpoint from = source_of(frame.bytes);
  // One that was replaced has nobody to follow: its frames are late ones.
  if (from == session.route.destination || session.state() != ipc::SessionState::current) return;
  Sighting& sighting = session.sighting;
  if (sighting.from != from) sighting = {.from = from, .told_at = sighting.told_at};
  ++sighting.frames;
  if (now < sighting.told_at + pause) return;
  sighting.told_at = now;
  if (path.outbox.trace({.kind = Trace::Kind::sighting,
                         .spi = frame.sa->spi,
                         .frames = sighting.frames,
                         .from = from}))
    sighting.frames = 0;
}

}  // namespace penstock::dataplane::inbound
