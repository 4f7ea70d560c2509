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
  fuzz::require(config->has_links() || !config->pipes.empty());
  fuzz::require(config->links.size() <= limits::max_links);
  fuzz::require(config->pipes.size() <= limits::max_pipes);
  for (const PipeConfig& pipe : config->pipes)
    fuzz::require(!pipe.name.empty() && !pipe.source.empty() && !pipe.target.empty());
  for (const LinkConfig& link : config->links) {
    const Shape& shape = link.shape;
    fuzz::require(shape.is_paced() == (shape.rate.has_value() || !shape.steps.empty()));
    fuzz::require(shape.steps.size() != 1 && shape.steps.size() <= Shape::max_steps);
    fuzz::require(shape.mode == ShapeMode::burst || !link.copies_dscp);
  }
  return 0;
}
