// Which keys of a link are not accepted any more, whatever its config says: one file a link,
// a fingerprint in hexadecimal a line. What is written down survives a crash.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "penstock/base/error.hpp"
#include "penstock/crypto/key_schedule.hpp"

namespace penstock::controlplane::clerk {

// Refused when no key could be written down as retired.
[[nodiscard]] Result<void> probe_state_dir(const std::filesystem::path& state_dir);

class RetiredKeys {
 public:
  // Of the link to `peer`. A file that does not exist holds none; one that makes no sense, or
  // cannot be read, is refused: what is not known to be good must not be accepted.
  [[nodiscard]] static Result<RetiredKeys> read(const std::filesystem::path& state_dir,
                                                std::string_view peer);

  [[nodiscard]] bool has(const crypto::KeyFingerprint& key) const;
  // Each writes the file anew, unless it says so already.
  [[nodiscard]] Result<void> add(const crypto::KeyFingerprint& key);
  // How many of them there were.
  [[nodiscard]] Result<std::size_t> remove(std::span<const crypto::KeyFingerprint> keys);

 private:
  explicit RetiredKeys(std::filesystem::path file) : file_(std::move(file)) {}
  [[nodiscard]] Result<void> write() const;

  std::filesystem::path file_;
  std::vector<crypto::KeyFingerprint> keys_;
};

}  // namespace penstock::controlplane::clerk
