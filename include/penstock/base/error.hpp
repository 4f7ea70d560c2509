// An operation that can fail returns Result<T>: the value, or an Error with a kind
// for the program and one sentence for the operator that says what to do.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace penstock {

enum class ErrorKind : std::uint8_t {
  config,      // the config file is wrong
  key,         // a key file is missing, short, or readable by others
  permission,  // the operating system said no
  busy,        // somebody else holds it
  missing,     // it does not exist
  protocol,    // the other side of a socket broke the contract
  system,      // anything else the operating system refused
};

struct Error {
  ErrorKind kind;
  std::string message;  // one sentence, no trailing newline
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return std::unexpected{Error{kind, std::move(message)}};
}

// The sentence "<what>: <strerror(error_number)>"; EPERM and EACCES become
// ErrorKind::permission, ENOENT, ENODEV and ENXIO missing, EBUSY and EADDRINUSE busy.
[[nodiscard]] std::unexpected<Error> fail_errno(std::string_view what, int error_number);

// Every program of the project leaves with this code after an Error at start-up.
inline constexpr int exit_refused = 2;

}  // namespace penstock
