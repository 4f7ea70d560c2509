// Any text in place of a site's config: it is refused with a sentence, or what was made of it
// keeps the limits.
#include "penstock/config/site_config.hpp"

#include <string_view>

#include "fuzz.hpp"
#include "penstock/base/limits.hpp"

using namespace penstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto config = parse_site_config("/etc/penstock/fuzz.toml", text);
  if (!config) {
    fuzz::require(!config.error().message.empty());
    return 0;
  }
  fuzz::require(!config->name.empty() && config->name.size() <= limits::max_site_name);
  fuzz::require(!config->links.empty() && config->links.size() <= limits::max_links);
  return 0;
}
