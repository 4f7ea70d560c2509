// Whether cipher and hash can run at the same time on one core: the AES units idle while SHA
// runs. Everything here is done with the library's own calls; what would show an overlap is a
// ratio_to_parts (cipher alone and hash alone, added up) above 1.
//
//   cipher, hash-M           the parts: manager M hashes, the best manager ciphers
//   groups-of-G-M            cipher G frames, hash them, then the next G: the hash of one
//                            group and the cipher of the next meet in the CPU's window
//   jobs-between-G-M         hashes submitted one by one as jobs, a cipher burst of the next G
//                            frames in the middle of each G submissions
//   chained-M                the library's own jobs of both
#pragma once

#include "row.hpp"
#include "trial.hpp"

namespace penstock::bench {

// Rows named `trial.name`/way. Seals with a CTR suite.
[[nodiscard]] Rows run_overlap(const Trial& trial, Rig& rig);

}  // namespace penstock::bench
