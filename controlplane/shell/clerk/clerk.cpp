#include "controlplane/shell/clerk/clerk.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <asio/post.hpp>

#include "penstock/base/check.hpp"
#include "penstock/base/log.hpp"

#include "controlplane/shell/clerk/service.hpp"

namespace penstock::controlplane {

using clerk::AnswerHead;
using clerk::AnswerKind;
using clerk::Duty;
using clerk::Order;

// The packets of one answer, together.
struct Clerk::Answer {
  std::string text;
  std::vector<LinkSecrets> keys;
  std::optional<crypto::IdentitySeed> seed;
  std::optional<IpAddress> address;
  UniqueFd descriptor;
};

namespace {

constexpr std::string_view dead =
    "penstockd's clerk has died, which reads files and looks up names for it: restart penstockd "
    "(sessions go on meanwhile)";

constexpr std::string_view forgotten =
    "every key was wiped while they were being read; `penstock reload` loads them";

// With a zero behind it.
template <std::size_t N>
void put_text(std::string_view text, std::array<char, N>& into) {
  check(text.size() < N, "text that fits an order");
  std::ranges::copy(text, into.begin());
}

struct Received {
  ssize_t size = 0;
  UniqueFd descriptor;
};

// size is as recvmsg has it: below 0 with errno.
Received receive(int socket, MutableBytes packet) {
  iovec data{.iov_base = packet.data(), .iov_len = packet.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  Received received;
  do {
    received.size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (received.size < 0 && errno == EINTR);
  if (received.size <= 0) return received;
  const cmsghdr* const rights = CMSG_FIRSTHDR(&message);
  if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS) return received;
  int number = -1;
  std::memcpy(&number, CMSG_DATA(rights), sizeof number);
  received.descriptor.reset(number);
  return received;
}

template <class T>
Result<void> without_value(const Result<T>& result) {
  if (!result) return std::unexpected{result.error()};
  return {};
}

LinkSecrets link_secrets(clerk::OldKey old, Bytes keys) {
  constexpr std::size_t size = crypto::FileKey::size;
  LinkSecrets secrets{.key = crypto::FileKey{keys.first<size>()}, .old_key = std::nullopt};
  if (old == clerk::OldKey::accepted) secrets.old_key.emplace(keys.subspan<size, size>());
  secrets.is_old_retired = old == clerk::OldKey::retired;
  return secrets;
}

}  // namespace

Result<Clerk::Process> Clerk::fork(std::filesystem::path config_file) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno("cannot make a pair of sockets", errno);
  UniqueFd ours{ends[0]};
  UniqueFd theirs{ends[1]};
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("cannot start penstockd's clerk", errno);
  if (pid == 0) {
    ours.reset();
    clerk::serve(std::move(theirs), parent, std::move(config_file));
  }
  return Process{.socket = std::move(ours), .config_file = std::move(config_file)};
}

Clerk::Clerk(asio::io_context& loop, Process process)
    : loop_(loop),
      config_file_(std::move(process.config_file)),
      socket_(std::make_unique<asio::posix::stream_descriptor>(loop, process.socket.release())) {
  wait_readable();
}

Clerk::~Clerk() = default;

// --- orders -----------------------------------------------------------------------------

void Clerk::load(OnLoaded on_loaded) {
  give({.order = {.duty = Duty::load},
        .on_answer = [this, on_loaded = std::move(on_loaded)](Result<Answer> answer) {
          if (!answer) return on_loaded(std::unexpected{std::move(answer.error())});
          on_loaded(unpack(std::move(*answer)));
        }});
}

void Clerk::retire(std::string_view peer, const crypto::KeyFingerprint& old_key, OnDone on_done) {
  Order order{.duty = Duty::retire, .old_key = old_key};
  put_text(peer, order.peer);
  give({.order = order, .on_answer = [on_done = std::move(on_done)](Result<Answer> answer) {
          on_done(without_value(answer));
        }});
}

void Clerk::restore(std::string_view peer, OnDone on_done) {
  Order order{.duty = Duty::restore};
  put_text(peer, order.peer);
  give({.order = order, .on_answer = [on_done = std::move(on_done)](Result<Answer> answer) {
          on_done(without_value(answer));
        }});
}

void Clerk::resolve(std::string_view host, IpVersion version, OnResolved on_resolved) {
  Order order{.duty = Duty::resolve, .ip_version = static_cast<std::uint8_t>(version)};
  put_text(host, order.host);
  give({.order = order, .on_answer = [on_resolved = std::move(on_resolved)](Result<Answer> answer) {
          on_resolved(answer ? answer->address : std::nullopt);
        }});
}

void Clerk::open_audit_log(OnAuditLog on_opened) {
  give({.order = {.duty = Duty::open_audit_log},
        .on_answer = [on_opened = std::move(on_opened)](Result<Answer> answer) {
          if (!answer) return on_opened(std::unexpected{std::move(answer.error())});
          on_opened(std::move(answer->descriptor));
        }});
}

void Clerk::give(Errand errand) {
  if (socket_ == nullptr) return refuse(std::move(errand), {ErrorKind::missing, std::string{dead}});
  errands_.insert(place_of(errand.order), std::move(errand));
  if (errands_.size() == 1) send_next();
}

// Nobody waits behind a lookup but other lookups, and whoever comes while one is under way.
std::deque<Clerk::Errand>::iterator Clerk::place_of(const Order& order) {
  if (errands_.empty() || order.duty == Duty::resolve) return errands_.end();
  return std::find_if(errands_.begin() + 1, errands_.end(),
                      [](const Errand& waiting) { return waiting.order.duty == Duty::resolve; });
}

// Never from within the call: who gives orders is in the middle of something.
void Clerk::refuse(Errand errand, Error why) {
  asio::post(loop_, [on_answer = std::move(errand.on_answer), why = std::move(why)] {
    on_answer(std::unexpected{why});
  });
}

void Clerk::forget() {
  if (errands_.empty()) return;
  errands_.front().is_forgotten = errands_.front().order.duty == Duty::load;
  answer_->keys.clear();
  answer_->seed.reset();
  for (auto waiting = errands_.begin() + 1; waiting != errands_.end();) {
    if (waiting->order.duty != Duty::load) {
      ++waiting;
      continue;
    }
    refuse(std::move(*waiting), {ErrorKind::key, std::string{forgotten}});
    waiting = errands_.erase(waiting);
  }
}

void Clerk::send_next() {
  answer_ = std::make_unique<Answer>();
  const Order& order = errands_.front().order;
  // A clerk that is not there any more: the reading side notices.
  static_cast<void>(
      ::send(socket_->native_handle(), &order, sizeof order, MSG_DONTWAIT | MSG_NOSIGNAL));
}

// --- answers ----------------------------------------------------------------------------

void Clerk::wait_readable() {
  socket_->async_wait(asio::posix::stream_descriptor::wait_read,
                      [this](const std::error_code& error) {
                        if (!error) read_all();
                      });
}

void Clerk::read_all() {
  while (socket_ != nullptr) {
    Received received = receive(socket_->native_handle(), packet_.fill());
    if (received.size < 0 && errno == EAGAIN) return wait_readable();
    if (received.size < static_cast<ssize_t>(sizeof(AnswerHead))) return die();
    const Bytes packet = packet_.reveal().first(static_cast<std::size_t>(received.size));
    const bool makes_sense = take(packet, std::move(received.descriptor));
    wipe(packet_.fill());
    if (!makes_sense) return die();
  }
}

bool Clerk::take(Bytes packet, UniqueFd descriptor) {
  if (errands_.empty()) return false;
  AnswerHead head;
  std::memcpy(&head, packet.data(), sizeof head);
  const Bytes payload = packet.subspan(sizeof head);
  const std::string_view text{reinterpret_cast<const char*>(payload.data()), payload.size()};
  switch (head.kind) {
    case AnswerKind::text:
      answer_->text += text;
      return true;
    case AnswerKind::link_keys:
      if (payload.size() != 2 * crypto::FileKey::size) return false;
      if (errands_.front().is_forgotten) return true;
      answer_->keys.push_back(link_secrets(static_cast<clerk::OldKey>(head.detail), payload));
      return true;
    case AnswerKind::identity:
      if (payload.size() != crypto::IdentitySeed::size) return false;
      if (errands_.front().is_forgotten) return true;
      answer_->seed.emplace(payload.first<crypto::IdentitySeed::size>());
      return true;
    case AnswerKind::address:
      if (head.detail == static_cast<std::uint8_t>(IpVersion::v4))
        answer_->address = IpAddress::from(payload.first(4));
      if (head.detail == static_cast<std::uint8_t>(IpVersion::v6))
        answer_->address = IpAddress::from(payload.first(16));
      return true;
    case AnswerKind::audit_log:
      answer_->descriptor = std::move(descriptor);
      return true;
    case AnswerKind::done:
      if (errands_.front().is_forgotten)
        finish(fail(ErrorKind::key, std::string{forgotten}));
      else
        finish(std::move(*answer_));
      return true;
    case AnswerKind::refused:
      finish(fail(static_cast<ErrorKind>(head.detail), std::string{text}));
      return true;
  }
  return false;
}

void Clerk::finish(Result<Answer> answer) {
  const Errand errand = std::move(errands_.front());
  errands_.pop_front();
  if (!errands_.empty()) send_next();
  errand.on_answer(std::move(answer));
}

void Clerk::die() {
  socket_.reset();
  answer_.reset();
  log::error(dead);
  for (const Errand& errand : std::exchange(errands_, {}))
    errand.on_answer(fail(ErrorKind::missing, std::string{dead}));
}

Result<LoadedSite> Clerk::unpack(Answer answer) const {
  auto config = parse_site_config(config_file_, answer.text);
  if (!config) return std::unexpected{config.error()};
  check(answer.keys.size() == config->links.size(), "the clerk read the same config");
  LoadedSite site{
      .config = std::move(*config), .keys = std::move(answer.keys), .identity = nullptr};
  if (answer.seed)
    site.identity = std::make_shared<const crypto::IdentityKey>(std::move(*answer.seed));
  return site;
}

}  // namespace penstock::controlplane
