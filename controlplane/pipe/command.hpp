// `penstock pipe`, and the same under spiped's names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controlplane/pipe/options.hpp"

namespace penstock::controlplane::pipe {

// `arguments` without the program's name. Returns the exit code.
[[nodiscard]] int run_command(std::vector<std::string> arguments, Dialect dialect);

}  // namespace penstock::controlplane::pipe
