// What the lanes of a link come to together.
#pragma once

#include "penstock/ipc/messages.hpp"

namespace penstock::dataplane {

// Puts another lane of the same link to what others came to: counts, rates and queues add up; of
// times, delays and losses the worst lane's stand, as does its quantized step; the breaker is open
// where one is, else probing where one is. A lane that no session used yet adds nothing.
void add_lane(ipc::LinkStats& link, const ipc::LinkStats& lane);

}  // namespace penstock::dataplane
