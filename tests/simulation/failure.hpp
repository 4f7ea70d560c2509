// An invariant that does not hold, by name.
#pragma once

#include <string>
#include <string_view>

namespace penstock::simulation {

struct Failure {
  std::string_view invariant;
  std::string text;
};

}  // namespace penstock::simulation
