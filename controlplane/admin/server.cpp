#include "controlplane/admin/server.hpp"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>

#include "penstock/ipc/channel.hpp"

namespace penstock::controlplane {
namespace {

using Stream = asio::local::stream_protocol;

// One client; lives as long as a read, a write or an answer for it is under way.
class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(Stream::socket socket, Caller caller, AdminTarget& target,
         std::shared_ptr<std::size_t> clients)
      : socket_(std::move(socket)),
        patience_(socket_.get_executor()),
        caller_(caller),
        target_(target),
        clients_(std::move(clients)) {
    ++*clients_;
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { --*clients_; }

  void read() {
    watch_patience();
    asio::async_read_until(
        socket_, asio::dynamic_buffer(input_, AdminServer::max_line), '\n',
        [self = shared_from_this()](const std::error_code& error, std::size_t length) {
          if (!error) return self->serve(length);
          if (error == asio::error::not_found) self->refuse_long_line();
        });
  }

 private:
  // From when it may ask until its answer is taken. Nothing that it does keeps us waiting.
  void watch_patience() {
    if (caller_.may_act) return;
    patience_.expires_after(AdminServer::reader_patience);
    patience_.async_wait([who = weak_from_this()](const std::error_code& error) {
      const auto self = who.lock();
      if (error || self == nullptr) return;
      std::error_code ignored;
      self->socket_.close(ignored);
    });
  }

  void serve(std::size_t length) {
    const std::string line = input_.substr(0, length - 1);
    input_.erase(0, length);
    answer_admin(target_, caller_, line, [self = shared_from_this()](const nlohmann::json& answer) {
      self->write(answer, [self] { self->read(); });
    });
  }

  void refuse_long_line() {
    write({{"ok", false}, {"error", "the line is too long"}}, [] {});
  }

  void write(const nlohmann::json& answer, std::function<void()> then) {
    // What is not UTF-8 in a name from outside must not stop the answer.
    output_ = answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
    asio::async_write(socket_, asio::buffer(output_),
                      [self = shared_from_this(), then = std::move(then)](
                          const std::error_code& error, std::size_t) {
                        if (!error) then();
                      });
  }

  Stream::socket socket_;
  asio::steady_timer patience_;
  Caller caller_;
  AdminTarget& target_;
  std::shared_ptr<std::size_t> clients_;
  std::string input_;
  std::string output_;
};

// Members may connect; who connects without being root, or us, may read. The directory is opened
// to them only if it was private: one that others use as well is not ours to change.
Result<void> let_group_in(const std::filesystem::path& socket, std::string_view name) {
  const group* const group = ::getgrnam(std::string{name}.c_str());
  if (group == nullptr) return {};
  const std::filesystem::path directory = socket.parent_path();
  struct stat status{};
  const bool is_private = ::stat(directory.c_str(), &status) == 0 && status.st_uid == ::geteuid() &&
                          (status.st_mode & 0077) == 0;
  constexpr uid_t same_owner = static_cast<uid_t>(-1);
  if (is_private && (::chown(directory.c_str(), same_owner, group->gr_gid) != 0 ||
                     ::chmod(directory.c_str(), 0750) != 0))
    return fail_errno(fmt::format("cannot let the group {} into {}", name, directory.string()),
                      errno);
  if (::chown(socket.c_str(), same_owner, group->gr_gid) != 0 || ::chmod(socket.c_str(), 0660) != 0)
    return fail_errno(fmt::format("cannot let the group {} reach {}", name, socket.string()),
                      errno);
  return {};
}

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::open(asio::io_context& loop,
                                                       const std::filesystem::path& socket,
                                                       std::string_view group,
                                                       AdminTarget& target) {
  auto listener = ipc::listen_at(socket, SOCK_STREAM);
  if (!listener) return std::unexpected{listener.error()};
  if (auto opened = let_group_in(socket, group); !opened) return std::unexpected{opened.error()};
  return std::unique_ptr<AdminServer>{new AdminServer{loop, std::move(*listener), socket, target}};
}

AdminServer::AdminServer(asio::io_context& loop, UniqueFd listener, std::filesystem::path socket,
                         AdminTarget& target)
    : socket_(std::move(socket)), target_(target), acceptor_(loop, Stream{}, listener.release()) {
  accept_next();
}

AdminServer::~AdminServer() {
  std::error_code ignored;
  std::filesystem::remove(socket_, ignored);
}

void AdminServer::accept_next() {
  acceptor_.async_wait(Stream::acceptor::wait_read, [this](const std::error_code& error) {
    if (error) return;
    auto peer = ipc::accept_peer(acceptor_.native_handle());
    const bool may_act = peer && peer->is_trusted();
    const auto& clients = may_act ? actors_ : readers_;
    if (peer && *clients < (may_act ? max_clients - max_readers : max_readers)) {
      Stream::socket socket{acceptor_.get_executor(), Stream{}, peer->socket.release()};
      const Caller caller{.uid = peer->uid, .pid = peer->pid, .may_act = may_act};
      std::make_shared<Client>(std::move(socket), caller, target_, clients)->read();
    }
    accept_next();
  });
}

}  // namespace penstock::controlplane
