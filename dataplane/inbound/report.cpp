// What the far side says became of this site's frames. It says so to whoever receives the lane that
// it says it on, and that need not be the worker whose frames it speaks of.
#include "dataplane/inbound/path.hpp"
#include "dataplane/session/link_lane.hpp"

namespace penstock::dataplane::inbound {
namespace {

bool is_reported_on(const Session& session) {
  return session.lane != nullptr && !session.lane->is_capped();
}

// False: it is of another lane, or cannot be so.
bool believe(Session& session, const FrameReport& report, Time now) {
  LinkLane& lane = *session.lane;
  // The one before is not sent on any more: what became of its last frames is let go.
  if (lane.carrier != &session) return true;
  const SealKeys& keys = session.out->keys;
  if (report.lane != keys.spi().lane() || !lane.rate.hear(report, keys.next().value, now))
    return false;
  lane.reporter.hear(report, now);
  return true;
}

}  // namespace

void hear_report(Path& path, const InboundSa& sa, Bytes block, Time now) {
  const Session& session = *sa.session;
  const auto report = read_frame_report(block);
  if (!report || !is_reported_on(session) || report->lane >= session.lanes_out)
    return path.count.drop(DropReason::bad_control);
  if (report->lane == session.out->keys.spi().lane())
    return take_report(path, *sa.session, *report, now);
  if (!path.outbox.pass_on(sa, *report, now)) path.count.drop(DropReason::control_full);
}

void take_report(Path& path, Session& session, const FrameReport& report, Time now) {
  if (!is_reported_on(session) || !believe(session, report, now))
    path.count.drop(DropReason::bad_control);
}

}  // namespace penstock::dataplane::inbound
