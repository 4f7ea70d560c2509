// Any messages at the control socket, from a controller that may come and go, before two workers
// that do as they are told: everything it says makes sense, and a session that the
// workers gave back is no more.
//
// Input: steps of u8 what (5 bits: the message's type, or 0: the workers do what they were told;
// 32: only its first bytes; 64: the controller leaves instead; 128: a byte more), u8 offset behind
// the header, u8 count, and so many bytes over the message.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <optional>
#include <utility>

#include "fuzz.hpp"
#include "penstock/base/log.hpp"

#include "dataplane/control/control_server.hpp"

using namespace penstock;
using namespace penstock::dataplane;
using namespace std::chrono_literals;

namespace {

constexpr Time now = 1000s;
constexpr std::size_t worker_count = 2;

struct ToldPlane final : Plane {
  [[nodiscard]] std::size_t workers() const override { return told.size(); }
  bool command(std::size_t worker, const Command& command) override {
    told.at(worker).push_back(command);
    return true;
  }
  void send_datagram(const Endpoint&, Bytes datagram) override {
    fuzz::require(datagram.size() <= limits::handshake_message);
  }
  void send_inside(std::span<const std::unique_ptr<Session>> shares, Bytes) override {
    fuzz::require(shares.size() == worker_count);
  }
  void expect(std::vector<Endpoint>) override {}
  [[nodiscard]] Counters total() const override { return {}; }
  [[nodiscard]] Counters of_worker(std::size_t) const override { return {}; }
  [[nodiscard]] std::vector<ipc::LinkStats> link_stats() const override {
    return std::vector<ipc::LinkStats>(3);
  }
  std::array<std::deque<Command>, worker_count> told;
};

FrameEngine make_engine() {
  log::start("fuzz", log::Level::error);
  const auto plan = EnginePlan::measure();
  fuzz::require(plan.has_value());
  auto engine = FrameEngine::create(*plan);
  fuzz::require(engine.has_value());
  return std::move(*engine);
}

// Where the server listens: made once, gone with the process.
struct Folder {
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "penstock-fuzz-XXXXXX";
    fuzz::require(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

// A good one, for the input to spoil.
ipc::InstallSession good_session() {
  ipc::InstallSession session;
  session.local_spi_base = Spi::make(7, 2, 0).value;
  session.remote_spi_base = Spi::make(9, 3, 0).value;
  session.tag = 16;
  session.suite = Suite{KeyExchange::x25519, Protection::aes256_ctr_sha256}.code();
  session.frame_size = 1472;
  session.lanes_out = session.lanes_in = worker_count;
  session.peer = ipc::to_wire({.address = *parse_ip("192.0.2.2"), .port = 7670});
  session.max_age_ns = Time{1h}.count();
  return session;
}

class Door {
 public:
  explicit Door(const std::filesystem::path& socket) : socket_(socket) {
    auto listener = ipc::listen_at(socket, SOCK_SEQPACKET);
    fuzz::require(listener.has_value());
    server_.emplace(
        ControlServer::Setup{
            .listener = std::move(*listener), .hello = {.lanes = worker_count}, .started = now},
        sessions_, plane_);
    connect();
  }

  void leave() {
    controller_.reset();
    read();
    connect();
  }

  // Sent as it is; what the server has to say is read and looked at.
  void send(Bytes message) {
    if (!controller_) connect();
    static_cast<void>(controller_->try_send_bytes(message));
    read();
  }

  void work() {
    for (std::size_t worker = 0; worker < worker_count; ++worker)
      for (auto& told = plane_.told.at(worker); !told.empty();) {
        const Command command = told.front();
        told.pop_front();
        obey(worker, command);
      }
    server_->on_timer(now);
    read();
  }

 private:
  void connect() {
    auto fd = ipc::connect_to(socket_, SOCK_SEQPACKET);
    fuzz::require(fd.has_value());
    controller_.emplace(std::move(*fd));
    server_->on_connection();
    fuzz::require(server_->controller_fd() >= 0);
  }

  void read() {
    server_->on_readable(now);
    server_->end_turn();
    if (!controller_) return fuzz::require(server_->controller_fd() < 0);
    for (;;) {
      switch (controller_->receive()) {
        case ipc::ReceiveStatus::message:
          look_at(controller_->received());
          break;
        case ipc::ReceiveStatus::closed:
          controller_.reset();
          return fuzz::require(server_->controller_fd() < 0);
        case ipc::ReceiveStatus::nothing_yet:
          return;
      }
    }
  }

  static void look_at(const ipc::Received& message) {
    fuzz::require(message.as<ipc::HelloReply>() || message.as<ipc::InstallReply>() ||
                  message.as<ipc::RemoveReply>() || message.as<ipc::SessionInfo>() ||
                  message.as<ipc::ListEnd>() || message.as<ipc::Event>() ||
                  message.as<ipc::Stats>() || message.as<ipc::LinkStats>() ||
                  message.as<ipc::TopologyText>() || message.as<ipc::WorkerStats>() ||
                  message.as<ipc::ZeroizeReply>());
  }

  void obey(std::size_t worker, const Command& command) {
    auto& held = held_.at(worker);
    const auto give_back = [&](Session* session, ipc::RemovalReason reason) {
      std::erase(held, session);
      server_->on_note({.kind = Note::Kind::returned, .reason = reason, .session = session});
    };
    if (command.kind == Command::Kind::install) {
      held.push_back(command.session);
      server_->on_note({.kind = Note::Kind::installed, .reason = {}, .session = command.session});
      server_->on_note({.kind = Note::Kind::confirmed, .reason = {}, .session = command.session});
    } else if (command.kind == Command::Kind::remove &&
               std::ranges::count(held, command.session) != 0) {
      give_back(command.session, ipc::RemovalReason::by_controller);
    } else if (command.kind == Command::Kind::zeroize) {
      while (!held.empty()) give_back(held.back(), ipc::RemovalReason::zeroized);
    }
  }

  std::filesystem::path socket_;
  std::array<HeldBudget, worker_count> budgets_;
  endpoint::NextHops hops_{*parse_prefix("192.0.2.0/24"), std::nullopt};
  static const FrameEngine& engine() {
    static const FrameEngine made = make_engine();
    return made;
  }
  SessionDirectory sessions_{
      {.max_frame_size = 1472,
       .self = {.mac = {}, .endpoint = {.address = *parse_ip("192.0.2.1"), .port = 7670}},
       .held = {&budgets_[0], &budgets_[1]}},
      engine(),
      hops_};
  ToldPlane plane_;
  std::array<std::vector<Session*>, worker_count> held_;
  std::optional<ControlServer> server_;
  std::optional<ipc::Channel> controller_;
};

template <class M>
std::vector<std::byte> bytes_of(const M& message) {
  const Bytes bytes = std::as_bytes(std::span{&message, 1});
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> good_message(unsigned type) {
  switch (static_cast<ipc::MessageType>(type)) {
    case ipc::MessageType::hello:
      return bytes_of(ipc::Hello{});
    case ipc::MessageType::install_session:
      return bytes_of(good_session());
    case ipc::MessageType::remove_session:
      return bytes_of(ipc::RemoveSession{});
    case ipc::MessageType::list_sessions:
      return bytes_of(ipc::ListSessions{});
    case ipc::MessageType::inject:
      return bytes_of(ipc::Inject{});
    case ipc::MessageType::inject_inside:
      return bytes_of(ipc::InjectInside{});
    case ipc::MessageType::list_links:
      return bytes_of(ipc::ListLinks{});
    case ipc::MessageType::list_workers:
      return bytes_of(ipc::ListWorkers{});
    case ipc::MessageType::get_topology:
      return bytes_of(ipc::GetTopology{});
    case ipc::MessageType::get_stats:
      return bytes_of(ipc::GetStats{});
    case ipc::MessageType::link_peer:
      return bytes_of(ipc::LinkPeer{});
    case ipc::MessageType::zeroize:
      return bytes_of(ipc::Zeroize{});
    default:
      return bytes_of(ipc::Header{.type = static_cast<ipc::MessageType>(type)});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  Door door{folder.path / "sock"};
  door.send(bytes_of(ipc::Hello{}));
  Bytes rest = fuzz::bytes(data, size);
  while (rest.size() >= 3) {
    const unsigned what = load_u8(rest.data());
    const std::size_t offset = sizeof(ipc::Header) + load_u8(&rest[1]);
    const Bytes over =
        rest.subspan(3).first(std::min<std::size_t>(load_u8(&rest[2]), rest.size() - 3));
    rest = rest.subspan(3 + over.size());
    if ((what & 64) != 0) {
      door.leave();
      door.send(bytes_of(ipc::Hello{}));
    } else if ((what & 31) == 0) {
      door.work();
    } else {
      std::vector<std::byte> message = good_message(what & 31);
      if ((what & 128) != 0) message.emplace_back();
      for (std::size_t i = 0; i < over.size() && offset + i < message.size(); ++i)
        message[offset + i] = over[i];
      if ((what & 32) != 0) message.resize(std::min(message.size(), over.size()));
      door.send(message);
    }
  }
  door.work();
  return 0;
}
