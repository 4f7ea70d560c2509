// What the command line's answers say.
#pragma once

#include <string>

#include "controlplane/pipe/options.hpp"

namespace penstock::controlplane::pipe {

[[nodiscard]] std::string usage(Dialect dialect);
[[nodiscard]] std::string help();  // of `penstock pipe`
[[nodiscard]] std::string version(Dialect dialect);

}  // namespace penstock::controlplane::pipe
