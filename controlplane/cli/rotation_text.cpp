#include "controlplane/cli/rotation_text.hpp"

#include <fmt/format.h>

namespace penstock::cli {
namespace {

using nlohmann::json;

std::string begin_text(const std::string& peer, const json& key, const RotationFiles& files) {
  return fmt::format("the link to {0} has one key, {1}; no change is under way\n"
                     "to change it, while the link stays up:\n"
                     "1. make a new key here, and carry it to {0} over a safe path\n"
                     "     penstock genkey {2}\n"
                     "2. here, let the [[link]] of {3} say (old_key_file: what key_file says now)\n"
                     "     key_file = \"{2}\"\n"
                     "     old_key_file = \"{4}\"\n"
                     "   and read it\n"
                     "     penstock reload {3}\n"
                     "3. the same at {0}; which site is first does not matter\n"
                     "4. see how it stands\n"
                     "     penstock key rotate {0} {3}\n",
                     peer, key.at("fingerprint").get<std::string>(), files.new_key_file.string(),
                     files.config.string(), files.key_file.string());
}

std::string waiting_text(const std::string& peer, const json& key) {
  return fmt::format(
      "here, the new key {1} and the old one {2} are both accepted\n"
      "at {0}, the new key has not answered yet: the old one is in use\n"
      "next, at {0}: carry the new key file there over a safe path; let key_file name it and\n"
      "old_key_file the one before; then\n"
      "     penstock reload\n",
      peer, key.at("fingerprint").get<std::string>(),
      key.at("old_fingerprint").is_null() ? "" : key.at("old_fingerprint").get<std::string>());
}

std::string done_text(const std::string& peer, const json& key, const RotationFiles& files) {
  return fmt::format(
      "the new key {1} has proved good here and at {0}; the old one is retired: it is neither\n"
      "offered nor accepted any more, whatever the config says\n"
      "next, here and at {0}: take old_key_file out of the config, and\n"
      "     penstock reload {2}\n"
      "keep the old file until {0} is sure of the new key: to go back, name it in key_file, then\n"
      "say `penstock key restore {0}`; and the same at {0}\n",
      peer, key.at("fingerprint").get<std::string>(), files.config.string());
}

}  // namespace

std::string rotation_text(const json& link, const RotationFiles& files) {
  const auto peer = link.at("peer").get<std::string>();
  const json& key = link.at("key");
  const auto state = key.at("state").get<std::string>();
  if (state == "only") return begin_text(peer, key, files);
  if (state.starts_with("old")) return waiting_text(peer, key);
  if (state.starts_with("new")) return done_text(peer, key, files);
  return fmt::format("the keys of the link to {} were wiped; load them again\n"
                     "     penstock reload {}\n",
                     peer, files.config.string());
}

}  // namespace penstock::cli
