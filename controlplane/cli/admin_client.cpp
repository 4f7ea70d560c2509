#include "controlplane/cli/admin_client.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <vector>

#include <fmt/format.h>

#include "penstock/base/clock.hpp"
#include "penstock/config/site_config.hpp"
#include "penstock/ipc/channel.hpp"

namespace penstock::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

// Longer than penstockd itself waits for its data plane.
constexpr Time answer_within = 15s;
constexpr std::size_t max_answer = std::size_t{16} << 20;

// Waits for the event until the deadline; false when it did not come.
bool wait_for(int fd, short event, Time deadline) {
  for (;;) {
    const Time left = deadline - monotonic_now();
    if (left <= 0ns) return false;
    pollfd poll{.fd = fd, .events = event, .revents = 0};
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    if (::poll(&poll, 1, static_cast<int>(ms)) > 0) return true;
  }
}

std::unexpected<Error> no_answer() {
  return fail(ErrorKind::busy, "the site does not answer; look at its log");
}

std::unexpected<Error> not_permitted(std::string_view what, const std::filesystem::path& where) {
  return fail(ErrorKind::permission,
              fmt::format("no permission to {} {}: run as root", what, where.string()));
}

// Why the admin socket could not be reached. The data plane lives, and moves packets, without
// penstockd: only what answers on neither socket does not run.
std::unexpected<Error> nobody_at(const std::filesystem::path& socket, const Error& error) {
  if (error.kind == ErrorKind::permission) return not_permitted("reach", socket);
  if (ipc::connect_to(socket.parent_path() / "dataplane.sock", SOCK_SEQPACKET)) {
    return fail(ErrorKind::missing,
                "penstockd does not answer; traffic may still flow; look at its log");
  }
  return fail(
      ErrorKind::missing,
      fmt::format("the site does not run ({}); start it with `penstock run FILE`", error.message));
}

Result<void> send_line(int fd, std::string_view line, Time deadline) {
  while (!line.empty()) {
    if (!wait_for(fd, POLLOUT, deadline)) return no_answer();
    const ssize_t sent = ::send(fd, line.data(), line.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return no_answer();
    if (sent > 0) line.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<std::string> receive_line(int fd, Time deadline) {
  std::string line;
  std::array<char, 4096> chunk{};
  while (line.empty() || line.back() != '\n') {
    if (!wait_for(fd, POLLIN, deadline)) return no_answer();
    const ssize_t count = ::recv(fd, chunk.data(), chunk.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0 || line.size() > max_answer) return no_answer();
    line.append(chunk.data(), static_cast<std::size_t>(count));
  }
  return line;
}

}  // namespace

Result<std::filesystem::path> find_admin_socket(const SiteChoice& choice,
                                                const std::filesystem::path& default_run_dir) {
  if (!choice.socket.empty()) return choice.socket;
  if (!choice.site.empty()) return default_run_dir / choice.site / "admin.sock";
  if (!choice.file.empty()) {
    const auto config = load_site_config(choice.file);
    if (!config)
      return fail(config.error().kind,
                  config.error().message + "; or name the running site with --site NAME");
    return config->admin_socket();
  }
  std::vector<std::filesystem::path> found;
  std::error_code error;
  const std::filesystem::directory_iterator run_dir{default_run_dir, error};
  if (error == std::errc::permission_denied) return not_permitted("look into", default_run_dir);
  for (const auto& entry : run_dir) {
    const auto socket = entry.path() / "admin.sock";
    if (std::filesystem::is_socket(socket, error)) found.push_back(socket);
    if (error == std::errc::permission_denied) return not_permitted("look into", entry.path());
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return fail(ErrorKind::missing,
                fmt::format("no site runs under {}; start one with `penstock run FILE`, or name "
                            "its file",
                            default_run_dir.string()));
  }
  return fail(ErrorKind::config, fmt::format("{} sites run under {}; name one with --site",
                                             found.size(), default_run_dir.string()));
}

Result<json> ask_admin(const std::filesystem::path& socket, const json& request) {
  const auto fd = ipc::connect_to(socket, SOCK_STREAM);
  if (!fd) return nobody_at(socket, fd.error());
  const Time deadline = monotonic_now() + answer_within;
  if (auto sent = send_line(fd->get(), request.dump() + "\n", deadline); !sent) {
    return std::unexpected{sent.error()};
  }
  const auto line = receive_line(fd->get(), deadline);
  if (!line) return std::unexpected{line.error()};
  json answer = json::parse(*line, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object() || !answer.contains("ok")) {
    return fail(ErrorKind::protocol, "the site's answer makes no sense; is it of another version?");
  }
  if (answer["ok"] == true) return std::move(answer["result"]);
  return fail(ErrorKind::system, answer.value("error", "the site refused without a reason"));
}

Result<json> ask_site(const SiteChoice& choice, const json& request) {
  const auto socket = find_admin_socket(choice);
  if (!socket) return std::unexpected{socket.error()};
  return ask_admin(*socket, request);
}

}  // namespace penstock::cli
