// The admin socket: any number of lines of JSON from each of a bounded number of clients.
// A client is read again only when it has taken its answer, so a slow one costs one
// answer's memory and blocks nobody.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>

#include "penstock/base/error.hpp"
#include "penstock/base/unique_fd.hpp"

#include "controlplane/admin/methods.hpp"

namespace penstock::controlplane {

class AdminServer {
 public:
  static constexpr std::size_t max_line = 4096;
  static constexpr std::size_t max_clients = 64;
  // Of those, who may only read: they must not keep out who may act. One that is silent for so
  // long is let go.
  static constexpr std::size_t max_readers = 16;
  static constexpr std::chrono::seconds reader_patience{30};

  // Listens at `socket` and serves on the loop; `target` outlives the loop's run. Root and our
  // own user may act. Where there is a group of this name, its members may connect and read: the
  // socket is 0660 then, else 0600.
  [[nodiscard]] static Result<std::unique_ptr<AdminServer>> open(
      asio::io_context& loop, const std::filesystem::path& socket, std::string_view group,
      AdminTarget& target);
  // Takes the socket file away.
  ~AdminServer();

 private:
  AdminServer(asio::io_context& loop, UniqueFd listener, std::filesystem::path socket,
              AdminTarget& target);
  void accept_next();

  std::filesystem::path socket_;
  AdminTarget& target_;
  asio::local::stream_protocol::acceptor acceptor_;
  std::shared_ptr<std::size_t> actors_ = std::make_shared<std::size_t>(0);
  std::shared_ptr<std::size_t> readers_ = std::make_shared<std::size_t>(0);
};

}  // namespace penstock::controlplane
