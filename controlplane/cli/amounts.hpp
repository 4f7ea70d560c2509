// Numbers as operators read them.
#pragma once

#include <string>
#include <string_view>

namespace penstock::cli {

// 1234567 -> "1.23 M": three digits and a unit.
[[nodiscard]] std::string scaled(double value, std::string_view unit);
// Of seconds, in the largest unit that keeps two digits: "42 s", "3 min".
[[nodiscard]] std::string duration(double seconds);
// Of well under a second: "120 us", "4.5 ms".
[[nodiscard]] std::string delay(double seconds);
// Of a share from 0 to 1: "98.2 %".
[[nodiscard]] std::string percent(double share);

}  // namespace penstock::cli
