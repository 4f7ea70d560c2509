// The [[pipe]]s of a site: as command lines, and as text.
#pragma once

#include <string>
#include <vector>

#include "penstock/base/error.hpp"
#include "penstock/config/site_config.hpp"

namespace penstock::cli {

// What `penstock pipe` is told, behind the program's name.
[[nodiscard]] std::vector<std::string> pipe_arguments(const PipeConfig& pipe);
// Its sockets are ones, and its key file can be read; then what `penstock check` says of it.
[[nodiscard]] Result<std::string> check_pipe(const PipeConfig& pipe);

}  // namespace penstock::cli
