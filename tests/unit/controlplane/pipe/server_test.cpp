// Whole pipes: two servers on loopback and whoever is at their ends, or one and a far side that
// does what it likes.
#include "controlplane/pipe/server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "penstock/crypto/pipe_packets.hpp"
#include "tests/unit/controlplane/pipe/sockets.hpp"
#include "tests/unit/controlplane/seeded_entropy.hpp"

#include "controlplane/pipe/reactor.hpp"

namespace penstock::controlplane::pipe {
namespace {

using std::chrono::milliseconds;

struct Listener {
  explicit Listener(int backlog = 128) {
    socket.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in any{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
    if (backlog > 0) {
      EXPECT_EQ(::listen(socket.get(), backlog), 0);
    }
    address.size = sizeof address.storage;
    EXPECT_EQ(
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.size),
        0);
  }
  [[nodiscard]] UniqueFd accept() const {
    EXPECT_TRUE(is_readable(socket.get()));
    return UniqueFd{::accept4(socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  }
  UniqueFd socket;
  SocketAddress address;
};

UniqueFd connect_to(const SocketAddress& address) {
  UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  EXPECT_EQ(::connect(fd.get(), address.get(), address.size), 0);
  return fd;
}

// A server and the address that it listens on.
struct Side {
  Side(Settings settings, const SocketAddress& target, std::string_view key_text = "of both")
      : key(file_key(key_text)) {
    Listener listener;
    address = listener.address;
    targets.replace({target});
    server.emplace(settings, std::move(listener.socket), key, targets, plan(), SocketAddress{});
    EXPECT_TRUE(server->start().has_value());
  }
  [[nodiscard]] std::uint64_t ends(End end) const {
    return server->counts().ends[static_cast<std::size_t>(end)];
  }
  [[nodiscard]] bool ended(End end, std::uint64_t count = 1) const {
    return eventually([&] { return ends(end) >= count; });
  }

  crypto::FileKey key;
  Targets targets;
  SocketAddress address;
  std::optional<Server> server;
};

Settings settings_of(Role role) {
  return {.role = role,
          .secrecy = {.is_forward = false},
          .max_connections = 0,
          .timeout = patience,
          .threads = 2};
}

// near -> client -> server -> target
struct Pipe {
  explicit Pipe(Settings of_client = settings_of(Role::client),
                Settings of_server = settings_of(Role::server))
      : server(of_server, target.address), client(of_client, server.address) {}

  struct Ends {
    UniqueFd near;
    UniqueFd far;
  };
  [[nodiscard]] Ends open() const {
    Ends ends;
    ends.near = connect_to(client.address);
    ends.far = target.accept();
    return ends;
  }

  Listener target;
  Side server;
  Side client;
};

void expect_carried(int from, int to, const ByteVector& text) {
  std::jthread writer{[&] { write_bytes(from, text); }};
  EXPECT_EQ(read_bytes(to, text.size()), text);
}

TEST(PipeServer, CarriesBothWaysAtOnce) {
  const Pipe pipe;
  const Pipe::Ends ends = pipe.open();
  const ByteVector there = pattern(1'500'000, 1);
  const ByteVector back = pattern(1'200'000, 2);
  std::jthread other{[&] { expect_carried(ends.far.get(), ends.near.get(), back); }};
  expect_carried(ends.near.get(), ends.far.get(), there);
}

TEST(PipeServer, SharesASecretForwardly) {
  Settings of_client = settings_of(Role::client);
  Settings of_server = settings_of(Role::server);
  of_client.secrecy = of_server.secrecy = {.is_forward = true, .is_required = true};
  const Pipe pipe{of_client, of_server};
  const Pipe::Ends ends = pipe.open();
  expect_carried(ends.near.get(), ends.far.get(), pattern(10'000));
  expect_carried(ends.far.get(), ends.near.get(), pattern(10'000));
}

TEST(PipeServer, PassesTheNearEndsEndOnAndKeepsTheOtherWay) {
  const Pipe pipe;
  const Pipe::Ends ends = pipe.open();
  expect_carried(ends.near.get(), ends.far.get(), pattern(3000));
  ::shutdown(ends.near.get(), SHUT_WR);
  EXPECT_EQ(last_of(ends.far.get()), Last::closed);
  expect_carried(ends.far.get(), ends.near.get(), pattern(300'000));
  ::shutdown(ends.far.get(), SHUT_WR);
  EXPECT_EQ(last_of(ends.near.get()), Last::closed);
  EXPECT_TRUE(pipe.client.ended(End::finished));
  EXPECT_TRUE(pipe.server.ended(End::finished));
}

TEST(PipeServer, PassesTheFarEndsEndOnAndKeepsTheOtherWay) {
  const Pipe pipe;
  const Pipe::Ends ends = pipe.open();
  ::shutdown(ends.far.get(), SHUT_WR);
  EXPECT_EQ(last_of(ends.near.get()), Last::closed);
  expect_carried(ends.near.get(), ends.far.get(), pattern(300'000));
  ::shutdown(ends.near.get(), SHUT_WR);
  EXPECT_EQ(last_of(ends.far.get()), Last::closed);
  EXPECT_TRUE(pipe.client.ended(End::finished));
  EXPECT_TRUE(pipe.server.ended(End::finished));
}

TEST(PipeServer, EndsBothSidesWhenTheNearEndResets) {
  const Pipe pipe;
  Pipe::Ends ends = pipe.open();
  expect_carried(ends.near.get(), ends.far.get(), pattern(3000));
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(ends.near.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ends.near.reset();
  EXPECT_NE(last_of(ends.far.get()), Last::nothing);
  EXPECT_TRUE(pipe.client.ended(End::finished));
  ends.far.reset();  // for all it was told, the other way could go on
  EXPECT_TRUE(eventually([&] { return pipe.server.server->counts().living == 0; }));
}

// A read ends in front of it, with more behind.
TEST(PipeServer, CarriesWhatStandsAroundUrgentData) {
  const Pipe pipe;
  const UniqueFd near = connect_to(pipe.client.address);
  ASSERT_EQ(::send(near.get(), "abc", 3, 0), 3);
  ASSERT_EQ(::send(near.get(), "!", 1, MSG_OOB), 1);
  ASSERT_EQ(::send(near.get(), "def", 3, 0), 3);
  const UniqueFd far = pipe.target.accept();
  EXPECT_TRUE(std::ranges::equal(read_bytes(far.get(), 6), as_bytes("abcdef")));
}

TEST(PipeServer, CarriesManyConnectionsEachToItsOwn) {
  const Pipe pipe;
  std::vector<Pipe::Ends> all;
  for (unsigned i = 0; i < 100; ++i) all.push_back(pipe.open());
  for (unsigned i = 0; i < all.size(); ++i) write_bytes(all[i].near.get(), pattern(5000, i));
  for (unsigned i = 0; i < all.size(); ++i) {
    EXPECT_EQ(read_bytes(all[i].far.get(), 5000), pattern(5000, i));
  }
  EXPECT_EQ(pipe.client.server->counts().living, all.size());
  all.clear();
  EXPECT_TRUE(pipe.client.ended(End::finished, 100));
  EXPECT_TRUE(pipe.server.ended(End::finished, 100));
}

TEST(PipeServer, AcceptsNoMoreThanItsLimitUntilOneEnds) {
  Settings limited = settings_of(Role::client);
  limited.max_connections = 1;
  const Pipe pipe{limited};
  Pipe::Ends first = pipe.open();
  const UniqueFd second = connect_to(pipe.client.address);
  expect_carried(first.near.get(), first.far.get(), pattern(100));
  EXPECT_FALSE(is_readable(pipe.target.socket.get(), milliseconds{50}));
  EXPECT_EQ(pipe.client.server->counts().accepted, 1U);
  first = {};
  const UniqueFd far = pipe.target.accept();
  expect_carried(second.get(), far.get(), pattern(100));
  EXPECT_EQ(pipe.client.server->counts().accepted, 2U);
}

TEST(PipeServer, StopsWhenTheLastConnectionIsGone) {
  Pipe pipe;
  Pipe::Ends ends = pipe.open();
  expect_carried(ends.near.get(), ends.far.get(), pattern(100));
  pipe.client.server->stop();
  std::jthread joiner{[&] { pipe.client.server->join(); }};
  // The listener is gone, the connection is not.
  EXPECT_TRUE(eventually([&] {
    const UniqueFd refused{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const SocketAddress& address = pipe.client.address;
    return ::connect(refused.get(), address.get(), address.size) != 0;
  }));
  expect_carried(ends.near.get(), ends.far.get(), pattern(300'000));
  ends = {};
}

TEST(PipeServer, EndsLivingConnectionsWhenItIsDestroyed) {
  auto pipe = std::make_unique<Pipe>();
  const Pipe::Ends ends = pipe->open();
  expect_carried(ends.near.get(), ends.far.get(), pattern(100));
  pipe->client.server.reset();
  EXPECT_NE(last_of(ends.near.get()), Last::nothing);
}

// --- a far side of our own ---------------------------------------------------------

struct LoneServer {
  explicit LoneServer(Settings settings = settings_of(Role::server))
      : side(settings, target.address), far(connect_to(side.address)) {}

  // A client's handshake up to `most` bytes that it sends; then it has the keys if it is all.
  void shake(std::size_t most = 320, std::string_view key_text = "of both") {
    SeededEntropy entropy{1};
    const crypto::FileKey key = file_key(key_text);
    Handshake handshake{Role::client, {.is_forward = false}, key, entropy};
    while (most > 0 && (handshake.wanted() > 0 || !handshake.output().empty())) {
      if (const Bytes output = handshake.output(); !output.empty()) {
        const Bytes some = output.first(std::min(most, output.size()));
        write_bytes(far.get(), some);
        handshake.sent(some.size());
        most -= some.size();
        continue;
      }
      const ByteVector got = read_bytes(far.get(), handshake.wanted());
      if (got.empty() || handshake.feed(got)) return;
    }
    while (handshake.wanted() > 0 && most == 0) {
      const ByteVector got = read_bytes(far.get(), handshake.wanted());
      if (got.empty() || handshake.feed(got)) return;
    }
  }

  Listener target;
  Side side;
  UniqueFd far;
};

TEST(PipeServer, ConnectsToTheTargetBeforeTheFarSideSaysAnything) {
  const LoneServer lone;
  EXPECT_TRUE(lone.target.accept());
  EXPECT_EQ(read_bytes(lone.far.get(), 32).size(), 32U);
}

TEST(PipeServer, CountsAFarSideThatClosesAtEachStep) {
  for (const std::size_t sent : {0U, 1U, 31U, 32U, 33U, 319U}) {
    LoneServer lone;
    const UniqueFd target = lone.target.accept();
    if (sent <= 32) {
      write_bytes(lone.far.get(), pattern(sent));
    } else {
      write_bytes(lone.far.get(), pattern(32));
      write_bytes(lone.far.get(), pattern(sent - 32));
    }
    ::shutdown(lone.far.get(), SHUT_WR);
    EXPECT_TRUE(lone.side.ended(End::handshake_cut)) << sent;
    EXPECT_EQ(last_of(target.get()), Last::closed);
  }
}

TEST(PipeServer, RefusesAnotherKey) {
  LoneServer lone;
  lone.shake(320, "another");
  EXPECT_TRUE(lone.side.ended(End::bad_handshake));
}

TEST(PipeServer, RefusesWhoHasNoForwardSecrecyWhereItIsRequired) {
  Settings required = settings_of(Role::server);
  required.secrecy = {.is_forward = true, .is_required = true};
  LoneServer lone{required};
  lone.shake();
  EXPECT_TRUE(lone.side.ended(End::not_forward));
}

TEST(PipeServer, GivesUpAFarSideThatDoesNotShakeHandsInTime) {
  Settings hasty = settings_of(Role::server);
  hasty.timeout = milliseconds{50};
  const LoneServer lone{hasty};
  const UniqueFd target = lone.target.accept();
  EXPECT_TRUE(lone.side.ended(End::handshake_late));
  EXPECT_EQ(last_of(target.get()), Last::closed);
}

TEST(PipeServer, EndsAConnectionWithABadPacketAndNoOther) {
  LoneServer lone;
  const UniqueFd target = lone.target.accept();
  lone.shake();
  const Listener unused;
  Side client{settings_of(Role::client), lone.side.address};
  const UniqueFd near = connect_to(client.address);
  const UniqueFd good = lone.target.accept();
  write_bytes(lone.far.get(), pattern(pipe_packet::size));
  EXPECT_TRUE(lone.side.ended(End::bad_packet));
  EXPECT_EQ(last_of(target.get()), Last::closed);
  expect_carried(near.get(), good.get(), pattern(5000));
}

TEST(PipeServer, CountsAFarSideThatClosesInsideAPacket) {
  LoneServer lone;
  const UniqueFd target = lone.target.accept();
  lone.shake();
  write_bytes(lone.far.get(), pattern(100));
  ::shutdown(lone.far.get(), SHUT_WR);
  EXPECT_TRUE(lone.side.ended(End::cut_packet));
}

TEST(PipeServer, EndsAConnectionWhoseTargetRefuses) {
  const Listener deaf{0};
  const Side server{settings_of(Role::server), deaf.address};
  const UniqueFd far = connect_to(server.address);
  EXPECT_TRUE(server.ended(End::no_target));
  EXPECT_NE(read_bytes(far.get(), 33).size(), 33U);
}

TEST(PipeServer, TriesTheTargetsAddressesInTurn) {
  const Listener deaf{0};
  const Listener good;
  Side server{settings_of(Role::server), deaf.address};
  server.targets.replace({deaf.address, good.address});
  const UniqueFd far = connect_to(server.address);
  EXPECT_TRUE(good.accept());
}

// One event says that the target took the connection, spoke and closed.
TEST(PipeServer, HearsOfAnEndThatCameWithTheConnection) {
  const Settings settings = settings_of(Role::client);
  const crypto::FileKey key = file_key();
  std::optional<End> end;
  const auto reactor =
      Reactor::create(settings, key, plan(), {}, [&](const Connection& connection) {
        end = connection.end();
      }).value();
  const Listener target;
  SocketPair near;
  reactor->adopt(std::move(near.near), {},
                 std::make_shared<const std::vector<SocketAddress>>(1, target.address));
  const UniqueFd far = target.accept();
  write_bytes(far.get(), pattern(5));
  ::shutdown(far.get(), SHUT_WR);
  for (int turn = 0; turn < 10 && !end; ++turn) {
    reactor->wake();
    reactor->turn();
  }
  EXPECT_EQ(end, End::handshake_cut);
}

TEST(PipeServer, WaitsWhereNoDescriptorIsLeft) {
  Pipe pipe;
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  UniqueFd near{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  const SocketAddress& address = pipe.client.address;
  EXPECT_EQ(::connect(near.get(), address.get(), address.size), 0);
  std::this_thread::sleep_for(milliseconds{20});  // lets it meet the shortage; passes without
  ::setrlimit(RLIMIT_NOFILE, &before);
  const UniqueFd far = pipe.target.accept();
  expect_carried(near.get(), far.get(), pattern(1000));
}

}  // namespace
}  // namespace penstock::controlplane::pipe
