// DPDK's messages as lines of our log: warnings and worse, nothing below.
#pragma once

#include <string>

namespace penstock::dataplane {

// From here to the end of the process. Until release_dpdk_log() messages are held back,
// so that a failed start can be told in one sentence.
void capture_dpdk_log();

// The errors held back so far, joined to one line; empty if there are none.
[[nodiscard]] std::string held_dpdk_errors();

// Forgets what is held back; from now on messages go to our log.
void release_dpdk_log();

}  // namespace penstock::dataplane
