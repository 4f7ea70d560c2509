// A penstockd with many links, and what it takes of the machine.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace penstock::bench {

// The hub's config and a key file for each link, in a directory of its own that goes with it.
class HubFiles {
 public:
  explicit HubFiles(std::size_t links);
  HubFiles(const HubFiles&) = delete;
  HubFiles& operator=(const HubFiles&) = delete;
  ~HubFiles();

  [[nodiscard]] const std::vector<std::string>& keys() const { return keys_; }
  [[nodiscard]] std::filesystem::path config() const { return directory_ / "hub.toml"; }
  [[nodiscard]] std::filesystem::path log() const { return directory_ / "hub.log"; }
  [[nodiscard]] std::filesystem::path dataplane_socket() const;
  [[nodiscard]] std::filesystem::path admin_socket() const;

 private:
  std::filesystem::path directory_;
  std::vector<std::string> keys_;
};

class HubProcess {
 public:
  HubProcess(const std::filesystem::path& penstockd, const HubFiles& files);
  HubProcess(const HubProcess&) = delete;
  HubProcess& operator=(const HubProcess&) = delete;
  ~HubProcess();

  [[nodiscard]] double resident_megabytes() const;
  [[nodiscard]] double cpu_seconds() const;

 private:
  pid_t pid_;
};

// One status over the admin socket: how long the answer took, and what it was.
struct Answer {
  double milliseconds = 0;
  std::string line;  // empty: there was none
};
[[nodiscard]] Answer ask_status(const std::filesystem::path& admin_socket);

}  // namespace penstock::bench
