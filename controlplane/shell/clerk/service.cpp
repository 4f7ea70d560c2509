#include "controlplane/shell/clerk/service.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "penstock/keys/secret.hpp"

#include "controlplane/names/lookup.hpp"
#include "controlplane/shell/clerk/orders.hpp"
#include "controlplane/shell/clerk/retired_keys.hpp"
#include "controlplane/shell/clerk/site_files.hpp"

namespace penstock::controlplane::clerk {
namespace {

// Where the clerk may write, from its first config on.
struct Places {
  std::filesystem::path state_dir;
  std::optional<std::filesystem::path> audit_log;
};

IpAddress address_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    return IpAddress::from(std::as_bytes(std::span{&in.sin_addr, 1}));
  }
  sockaddr_in6 in{};
  std::memcpy(&in, &address, sizeof in);
  return IpAddress::from(std::as_bytes(std::span{&in.sin6_addr, 1}));
}

class Service {
 public:
  Service(UniqueFd socket, std::filesystem::path config_file)
      : socket_(std::move(socket)), config_file_(std::move(config_file)) {}

  [[noreturn]] void run() {
    Order order;
    while (hear(order)) {
      const auto done = carry_out(order);
      if (done)
        say({.kind = AnswerKind::done});
      else
        refuse(done.error());
    }
    ::_exit(0);
  }

 private:
  // --- the socket
  bool hear(Order& order) {
    ssize_t size = 0;
    do {
      size = ::recv(socket_.get(), &order, sizeof order, 0);
    } while (size < 0 && errno == EINTR);
    return size == sizeof order;
  }
  // The packet is made in secret memory, since some carry keys.
  void say(AnswerHead head, Bytes payload = {}, Bytes more = {}) {
    const MutableBytes packet = packet_.fill();
    std::memcpy(packet.data(), &head, sizeof head);
    std::ranges::copy(payload, packet.begin() + sizeof head);
    std::ranges::copy(more,
                      packet.begin() + sizeof head + static_cast<std::ptrdiff_t>(payload.size()));
    const std::size_t size = sizeof head + payload.size() + more.size();
    while (::send(socket_.get(), packet.data(), size, MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
    wipe(packet.first(size));
  }
  void refuse(const Error& error) {
    say({.kind = AnswerKind::refused, .detail = static_cast<std::uint8_t>(error.kind)},
        as_bytes(std::string_view{error.message}.substr(0, max_payload)));
  }
  void say_text(std::string_view text);
  void say_with_descriptor(const UniqueFd& descriptor);

  // --- the duties
  [[nodiscard]] Result<void> carry_out(const Order& order);
  [[nodiscard]] Result<void> load();
  [[nodiscard]] Result<void> retire(std::string_view peer, const crypto::KeyFingerprint& key);
  [[nodiscard]] Result<void> restore(std::string_view peer);
  [[nodiscard]] Result<void> resolve(const std::string& host, IpVersion version);
  [[nodiscard]] Result<void> open_audit_log();
  [[nodiscard]] Result<void> settle_in(const SiteConfig& config);

  UniqueFd socket_;
  std::filesystem::path config_file_;
  std::optional<Places> places_;  // empty before the first config
  SecretBuffer packet_{max_answer};
};

void Service::say_text(std::string_view text) {
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, max_payload);
    say({.kind = AnswerKind::text}, as_bytes(piece));
    text.remove_prefix(piece.size());
  }
}

void Service::say_with_descriptor(const UniqueFd& descriptor) {
  AnswerHead head{.kind = AnswerKind::audit_log};
  iovec data{.iov_base = &head, .iov_len = sizeof head};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  const int number = descriptor.get();
  std::memcpy(CMSG_DATA(rights), &number, sizeof number);
  while (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
}

// --- the duties -------------------------------------------------------------------------

template <std::size_t N>
std::string text_of(const std::array<char, N>& text) {
  return {text.begin(), std::ranges::find(text, '\0')};
}

Result<void> Service::carry_out(const Order& order) {
  if (order.duty != Duty::load && order.duty != Duty::resolve && !places_)
    return fail(ErrorKind::protocol, "the site has not been loaded yet");
  switch (order.duty) {
    case Duty::load:
      return load();
    case Duty::retire:
      return retire(text_of(order.peer), order.old_key);
    case Duty::restore:
      return restore(text_of(order.peer));
    case Duty::resolve:
      return resolve(text_of(order.host), static_cast<IpVersion>(order.ip_version));
    case Duty::open_audit_log:
      return open_audit_log();
  }
  return fail(ErrorKind::protocol, "penstockd's clerk has no such duty");
}

// Whether state_dir can be made is seen when something is to be written there.
Result<void> Service::settle_in(const SiteConfig& config) {
  std::error_code ignored;
  std::filesystem::create_directories(config.state_dir, ignored);
  if (config.audit_log)
    std::filesystem::create_directories(config.audit_log->parent_path(), ignored);
  places_ = Places{.state_dir = config.state_dir, .audit_log = config.audit_log};
  return confine(confinement_of(config));
}

Result<void> Service::load() {
  const auto site = read_site(config_file_);
  if (!site) return std::unexpected{site.error()};
  if (!places_) {
    if (auto settled = settle_in(site->config); !settled) return settled;
  }
  const auto keys = read_keys(site->config, places_->state_dir);
  if (!keys) return std::unexpected{keys.error()};
  const auto identity = read_identity(site->config);
  if (!identity) return std::unexpected{identity.error()};

  say_text(site->text);
  for (const KeysOfLink& link : *keys)
    say({.kind = AnswerKind::link_keys, .detail = static_cast<std::uint8_t>(link.old)},
        link.key.reveal(), link.old_key.reveal());
  if (*identity) say({.kind = AnswerKind::identity}, (*identity)->seed().reveal());
  return {};
}

Result<void> Service::retire(std::string_view peer, const crypto::KeyFingerprint& key) {
  auto retired = RetiredKeys::read(places_->state_dir, peer);
  if (!retired) return std::unexpected{retired.error()};
  return retired->add(key);
}

Result<void> Service::restore(std::string_view peer) {
  const auto site = read_site(config_file_);
  if (!site) return std::unexpected{site.error()};
  return restore_keys(site->config, places_->state_dir, peer);
}

Result<void> Service::resolve(const std::string& host, IpVersion version) {
  const auto found = names::look_up({.host = host,
                                     .service = {},
                                     .family = version == IpVersion::v4 ? AF_INET : AF_INET6,
                                     .socket_type = SOCK_DGRAM},
                                    socket_.get());
  const auto address = found ? std::optional{address_of(found->front())} : std::nullopt;
  say({.kind = AnswerKind::address,
       .detail = address ? static_cast<std::uint8_t>(address->version) : std::uint8_t{0}},
      address ? Bytes{address->bytes} : Bytes{});
  return {};
}

Result<void> Service::open_audit_log() {
  if (!places_->audit_log) return {};
  const UniqueFd log{::open(places_->audit_log->c_str(),
                            O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640)};
  if (!log)
    return fail_errno("cannot append to the audit log " + places_->audit_log->string(), errno);
  say_with_descriptor(log);
  return {};
}

}  // namespace

void serve(UniqueFd socket, pid_t parent, std::filesystem::path config_file) {
  ::prctl(PR_SET_NAME, "penstock-clerk");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // it died before the line above
  // What ends or reloads penstockd is for penstockd to decide on.
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_IGN);
  ::umask(027);
  ::setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);
  keep_memory_private();
  Service{std::move(socket), std::move(config_file)}.run();
}

}  // namespace penstock::controlplane::clerk
