#include "dataplane/outbound/path.hpp"

namespace penstock::dataplane::outbound {

std::size_t run(Path& path, Time now) {
  receive(path);
  steer(path);
  fetch(path);
  if (path.paced.carriers != 0) queue(path, now);
  for (bool more = true; more;) {
    more = pack(path, now);
    if (!more) flush(path, now);
    seal(path, now);
    emit(path);
    if (path.paced.lanes.size() != 0) pace(path, path.time(now));
  }
  path.plain.release();
  return path.received;
}

}  // namespace penstock::dataplane::outbound
