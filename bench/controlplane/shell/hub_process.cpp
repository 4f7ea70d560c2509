#include "bench/controlplane/shell/hub_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

#include "bench/controlplane/shell/far_sides.hpp"
#include "penstock/base/check.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/ipc/channel.hpp"

#include "controlplane/handshake/entropy.hpp"

namespace penstock::bench {
namespace {

constexpr int answer_within_ms = 15'000;

std::string new_key() {
  controlplane::SystemEntropy entropy;
  std::string key(64, '\0');
  entropy.fill(std::as_writable_bytes(std::span{key}));
  return key;
}

std::string site_table(const std::filesystem::path& directory) {
  return fmt::format("[site]\nname = \"{0}\"\nrun_dir = \"{1}/run\"\nstate_dir = \"{1}/state\"\n"
                     "[ports.plain]\ndevice = \"af_packet:plain\"\n"
                     "[ports.wire]\ndevice = \"af_packet:wire\"\naddress = \"{2}/8\"\n",
                     hub_name, directory.string(), hub_address);
}

// The first link takes what no VLAN does.
std::string link_table(std::size_t index, const std::filesystem::path& key_file) {
  const std::string vlan = index == 0 ? "" : fmt::format("vlan = {}\n", index);
  return fmt::format("[[link]]\npeer = \"{}\"\nendpoint = \"{}\"\nkey_file = \"{}\"\n{}",
                     far_name(index), far_address(index), key_file.string(), vlan);
}

void write_private(const std::filesystem::path& file, std::string_view text) {
  const UniqueFd fd{::open(file.c_str(), O_CREAT | O_WRONLY | O_EXCL | O_CLOEXEC, 0600)};
  check(::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()),
        "the files of the hub can be written");
}

}  // namespace

HubFiles::HubFiles(std::size_t links) {
  std::string name = std::filesystem::temp_directory_path() / "penstock-links-XXXXXX";
  check(::mkdtemp(name.data()) != nullptr, "a directory for the hub's files");
  directory_ = name;
  std::string config = site_table(directory_);
  for (std::size_t index = 0; index < links; ++index) {
    keys_.push_back(new_key());
    const auto key_file = directory_ / (far_name(index) + ".key");
    write_private(key_file, keys_.back());
    config += link_table(index, key_file);
  }
  write_private(this->config(), config);
}

HubFiles::~HubFiles() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::filesystem::path HubFiles::dataplane_socket() const {
  return directory_ / "run" / "dataplane.sock";
}
std::filesystem::path HubFiles::admin_socket() const { return directory_ / "run" / "admin.sock"; }

HubProcess::HubProcess(const std::filesystem::path& penstockd, const HubFiles& files)
    : pid_(::fork()) {
  if (pid_ != 0) return;
  const int log = ::open(files.log().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  ::dup2(log, STDERR_FILENO);
  ::execl(penstockd.c_str(), "penstockd", "--config", files.config().c_str(), nullptr);
  ::_exit(127);
}

HubProcess::~HubProcess() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

double HubProcess::resident_megabytes() const {
  std::ifstream status{fmt::format("/proc/{}/status", pid_)};
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if (word == "VmRSS:" && status >> kilobytes) return kilobytes / 1024;
  }
  return 0;
}

double HubProcess::cpu_seconds() const {
  std::ifstream file{fmt::format("/proc/{}/stat", pid_)};
  std::stringstream text;
  text << file.rdbuf();
  // Behind the name, which may have anything in it: fields 3 to 13, then user and system time.
  std::istringstream fields{text.str().substr(text.str().rfind(')') + 1)};
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

Answer ask_status(const std::filesystem::path& admin_socket) {
  const Time began = monotonic_now();
  const auto fd = ipc::connect_to(admin_socket, SOCK_STREAM);
  constexpr std::string_view question = "{\"method\":\"status\"}\n";
  if (!fd || ::send(fd->get(), question.data(), question.size(), MSG_NOSIGNAL) < 0) return {};
  Answer answer;
  std::array<char, 65536> chunk{};
  while (answer.line.empty() || answer.line.back() != '\n') {
    pollfd ready{.fd = fd->get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, answer_within_ms) <= 0) return {};
    const ssize_t count = ::recv(fd->get(), chunk.data(), chunk.size(), 0);
    if (count <= 0) return {};
    answer.line.append(chunk.data(), static_cast<std::size_t>(count));
  }
  answer.milliseconds = std::chrono::duration<double, std::milli>(monotonic_now() - began).count();
  return answer;
}

}  // namespace penstock::bench
