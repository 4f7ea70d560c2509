// zeroize: all keys of a running site are wiped from memory.
#include <poll.h>
#include <sys/socket.h>

#include <utility>

#include <fmt/format.h>

#include "penstock/base/clock.hpp"
#include "penstock/ipc/channel.hpp"

#include "controlplane/cli/admin_client.hpp"
#include "controlplane/cli/commands.hpp"

namespace penstock::cli {
namespace {

using namespace std::chrono_literals;

constexpr Time dataplane_answers_within = 10s;
constexpr std::string_view files_remain =
    "key files remain on disk: `penstock reload` or a restart loads them again\n";

void print_sessions(std::uint32_t count) {
  fmt::print("the data plane wiped the keys of {} session{}\n", count, count == 1 ? "" : "s");
}

// --- by penstockd -----------------------------------------------------------------------

int print_report(const nlohmann::json& report) {
  const auto links = report.at("links").get<std::size_t>();
  fmt::print("penstockd wiped the keys of {} link{}\n", links, links == 1 ? "" : "s");
  if (report.at("sessions").is_null())
    fmt::print("the data plane is not running, so it has no keys\n");
  else
    print_sessions(report.at("sessions").get<std::uint32_t>());
  fmt::print("every link is down; {}", files_remain);
  // Processes of which penstockd knows but the number.
  if (const auto pipes = report.value("pipes", std::size_t{0}); pipes > 0)
    fmt::print("the site's pipes ({}) KEEP THEIR KEYS: stop `penstock run`, and they end with it\n",
               pipes);
  return 0;
}

// --- by the data plane itself -------------------------------------------------------------

enum class Reply : std::uint8_t { mine, closed, none };

// Waits for the answer to `request`; what comes unasked is passed over.
Reply wait_for(ipc::Channel& channel, std::uint32_t request, Time deadline) {
  for (;;) {
    switch (channel.receive()) {
      case ipc::ReceiveStatus::message:
        if (channel.received().header().request == request) return Reply::mine;
        continue;
      case ipc::ReceiveStatus::closed:
        return Reply::closed;
      case ipc::ReceiveStatus::nothing_yet:
        break;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - monotonic_now());
    if (left <= 0ms) return Reply::none;
    pollfd readable{.fd = channel.fd(), .events = POLLIN, .revents = 0};
    ::poll(&readable, 1, static_cast<int>(left.count()));
  }
}

std::unexpected<Error> not_zeroized(Reply reply) {
  if (reply == Reply::closed)
    return fail(ErrorKind::busy,
                "penstockd does not answer, but the data plane still listens to it and to nobody "
                "else: kill penstockd (kill -9), and ask again; killing penstock-dataplane ends "
                "its keys, too");
  return fail(ErrorKind::busy,
              "the data plane does not answer: kill penstock-dataplane (kill -9), and its keys end "
              "with it");
}

template <ipc::Message Answer, ipc::Message Question>
Result<Answer> ask_dataplane(ipc::Channel& channel, Question question, std::uint32_t request) {
  question.header.request = request;
  if (!channel.send(question)) return not_zeroized(Reply::closed);
  const Reply reply = wait_for(channel, request, monotonic_now() + dataplane_answers_within);
  if (reply != Reply::mine) return not_zeroized(reply);
  const ipc::Received received = channel.received();
  const auto* const answer = received.as<Answer>();
  if (answer == nullptr)
    return fail(ErrorKind::protocol, "the data plane is of another version: kill "
                                     "penstock-dataplane, and its keys end with it");
  return *answer;
}

Result<std::uint32_t> zeroize_dataplane(const std::filesystem::path& socket) {
  auto fd = ipc::connect_to(socket, SOCK_SEQPACKET);
  if (!fd)
    return fail(fd.error().kind,
                fmt::format("neither penstockd nor the data plane answers ({}): a program that has "
                            "ended has no keys; kill what still runs of them",
                            fd.error().message));
  ipc::Channel channel{std::move(*fd)};
  const auto hello = ask_dataplane<ipc::HelloReply>(channel, ipc::Hello{}, 1);
  if (!hello) return std::unexpected{hello.error()};
  const auto wiped = ask_dataplane<ipc::ZeroizeReply>(channel, ipc::Zeroize{}, 2);
  if (!wiped) return std::unexpected{wiped.error()};
  return wiped->sessions;
}

int zeroize_without_penstockd(const std::filesystem::path& admin_socket) {
  const auto sessions = zeroize_dataplane(admin_socket.parent_path() / "dataplane.sock");
  if (!sessions) return refuse(sessions.error());
  print_sessions(*sessions);
  fmt::print("penstockd did not answer: if it still runs, kill it, and its keys end with it; {}",
             files_remain);
  return 0;
}

}  // namespace

int zeroize(const SiteChoice& choice) {
  const auto socket = find_admin_socket(choice);
  if (!socket) return refuse(socket.error());
  const auto report = ask_admin(*socket, {{"method", "zeroize"}});
  if (report) return print_report(*report);
  const ErrorKind why = report.error().kind;
  if (why == ErrorKind::missing || why == ErrorKind::busy)
    return zeroize_without_penstockd(*socket);
  return refuse(report.error());
}

}  // namespace penstock::cli
