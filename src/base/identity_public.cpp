#include "penstock/base/identity_public.hpp"

#include "penstock/base/base64.hpp"

namespace penstock {
namespace {

constexpr std::string_view kind = "ed25519:";

}  // namespace

std::string to_text(const IdentityPublic& key) {
  std::string text{kind};
  text.resize(kind.size() + base64_size(IdentityPublic::size));
  write_base64(key.bytes, std::span{text}.subspan(kind.size()));
  return text;
}

std::optional<IdentityPublic> parse_identity_public(std::string_view text) {
  if (!text.starts_with(kind)) return std::nullopt;
  IdentityPublic key;
  if (!read_base64(text.substr(kind.size()), key.bytes)) return std::nullopt;
  return key;
}

}  // namespace penstock
