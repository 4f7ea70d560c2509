#include "penstock/base/error.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace penstock {
namespace {

ErrorKind kind_of(int error_number) {
  switch (error_number) {
    case EPERM:
    case EACCES:
      return ErrorKind::permission;
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return ErrorKind::missing;
    case EBUSY:
    case EADDRINUSE:
      return ErrorKind::busy;
    default:
      return ErrorKind::system;
  }
}

}  // namespace

std::unexpected<Error> fail_errno(std::string_view what, int error_number) {
  // Unlike strerror, strerrordesc_np may be called from any thread.
  const char* const text = ::strerrordesc_np(error_number);
  return fail(kind_of(error_number), text != nullptr
                                         ? fmt::format("{}: {}", what, text)
                                         : fmt::format("{}: error {}", what, error_number));
}

}  // namespace penstock
