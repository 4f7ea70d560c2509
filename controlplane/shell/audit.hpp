// The audit log: security events, one line each: the time, the event, and key=value pairs. Every
// line also stands in the log, after "audit:". Keys are named by their fingerprints, never told.
#pragma once

#include <string_view>

#include "penstock/base/error.hpp"
#include "penstock/base/unique_fd.hpp"

namespace penstock::controlplane {

class AuditLog {
 public:
  // Appends to this file; with an empty one the lines stand in the log alone.
  explicit AuditLog(UniqueFd file = UniqueFd{}) : file_(std::move(file)) {}

  // A file that cannot be written (a full disk) stops nothing; it is said once, until it can be.
  void write(std::string_view event, std::string_view details);
  // The file was opened again, since it may have been moved away; the old one stays when it could
  // not be, which is said.
  void reopened(Result<UniqueFd> file);

 private:
  void append(std::string_view event, std::string_view details);

  UniqueFd file_;
  bool is_failing_ = false;
  bool ends_in_a_line_ = true;  // what was written last
};

}  // namespace penstock::controlplane
