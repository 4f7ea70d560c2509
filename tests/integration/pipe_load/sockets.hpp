// TCP over loopback, as little of it as a load on pipes needs. What fails ends the program with
// a sentence: a bench has no use for half of its connections.
#pragma once

#include <cstddef>
#include <cstdint>

#include "penstock/base/unique_fd.hpp"

namespace penstock::load {

using Port = std::uint16_t;

[[noreturn]] void fail(const char* what);  // with errno's text
// `got` itself, unless it says that a system call failed.
long check(long got, const char* what);

// All at 127.0.0.1, blocking, without Nagle's delay.
[[nodiscard]] UniqueFd listen_at(Port port);
[[nodiscard]] UniqueFd accept_from(int listener);
[[nodiscard]] UniqueFd connect_to(Port port);

void set_nonblocking(int socket);
// Exactly so many bytes.
void send_all(int socket, const void* bytes, std::size_t size);
void receive_all(int socket, void* bytes, std::size_t size);
// Waits until the far side has closed; whatever it still sent is thrown away.
void wait_end(int socket);

}  // namespace penstock::load
