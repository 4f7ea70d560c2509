// What both programs give up once everything that needs privilege is open.
#pragma once

namespace penstock {

// No core dumps, no tracing by processes of the same user (so nobody reads /proc/PID/mem), no
// new privileges. Memory that holds keys is then readable by root alone.
void keep_memory_private();

}  // namespace penstock
