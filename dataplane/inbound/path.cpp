#include "dataplane/inbound/path.hpp"

namespace penstock::dataplane::inbound {

std::size_t run(Path& path, Time now) {
  receive(path, now);
  steer(path);
  path.wire.release();
  open(path);
  admit(path, now);
  reassemble(path, now);
  commit(path);
  return path.received;
}

}  // namespace penstock::dataplane::inbound
