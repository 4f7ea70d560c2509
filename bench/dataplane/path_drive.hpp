// What turns between the two ends: a whole worker with one session, or with many sessions the
// steps of its paths, a packet to each session in turn. Steer tells links apart by VLAN, of which
// there are fewer than sessions to compare; everything after it is the worker's own.
#pragma once

#include <cstdint>
#include <memory>

#include "bench/dataplane/path_rig.hpp"

namespace penstock::bench {

class Drive {
 public:
  virtual ~Drive() = default;
  virtual void turn() = 0;
  // Frames that each session, path_session(1) and on, has had from the far side so far.
  [[nodiscard]] virtual std::uint64_t received() const = 0;
};

// The ports outlive it.
[[nodiscard]] std::unique_ptr<Drive> make_drive(Lab& lab, const PathLoad& load, PlainEnd& plain,
                                                WireEnd& wire);

}  // namespace penstock::bench
