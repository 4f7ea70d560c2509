#include "penstock/ipc/channel.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace penstock::ipc {
namespace {

struct Pair {
  Pair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()), 0);
    near = std::make_unique<Channel>(UniqueFd{fds[0]});
    far = UniqueFd{fds[1]};
  }
  void send_raw(std::size_t length) const {
    const std::string bytes(length, '\xaa');
    ASSERT_EQ(::send(far.get(), bytes.data(), length, 0), static_cast<ssize_t>(length));
  }
  std::unique_ptr<Channel> near;
  UniqueFd far;
};

class SocketFolder : public testing::Test {
 protected:
  SocketFolder() {
    std::string pattern = testing::TempDir() + "penstock-ipc-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ / "deep" / "down" / "a.sock";
  }
  ~SocketFolder() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  std::filesystem::path path_;
};

TEST(Channel, carries_messages_whole_and_in_order) {
  std::array<int, 2> fds{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()), 0);
  Channel a{UniqueFd{fds[0]}};
  Channel b{UniqueFd{fds[1]}};
  EXPECT_EQ(b.receive(), ReceiveStatus::nothing_yet);
  ASSERT_TRUE(a.send(Hello{.header = {.type = Hello::type, .request = 7}}));
  RemoveReply reply;
  reply.header.request = 8;
  reply.was_there = 1;
  ASSERT_TRUE(a.send(reply));

  ASSERT_EQ(b.receive(), ReceiveStatus::message);
  EXPECT_EQ(b.received().header().request, 7u);
  EXPECT_EQ(b.received().as<RemoveReply>(), nullptr);
  const Hello* const hello = b.received().as<Hello>();
  ASSERT_NE(hello, nullptr);
  EXPECT_EQ(hello->version, version);
  ASSERT_EQ(b.receive(), ReceiveStatus::message);
  ASSERT_NE(b.received().as<RemoveReply>(), nullptr);
  EXPECT_EQ(b.received().as<RemoveReply>()->was_there, 1u);
  EXPECT_EQ(b.receive(), ReceiveStatus::nothing_yet);
}

TEST(Channel, the_longest_message_fits_and_is_wiped) {
  std::array<int, 2> fds{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()), 0);
  Channel a{UniqueFd{fds[0]}};
  Channel b{UniqueFd{fds[1]}};
  SecretBox<InstallSession> install;
  install->in.back().mac.fill(std::byte{0x5a});
  ASSERT_TRUE(a.send(*install));
  ASSERT_EQ(b.receive(), ReceiveStatus::message);
  const InstallSession* const arrived = b.received().as<InstallSession>();
  ASSERT_NE(arrived, nullptr);
  EXPECT_EQ(arrived->in.back().mac, install->in.back().mac);
  b.wipe_received();
  EXPECT_EQ(arrived->in.back().mac, (std::array<std::byte, 48>{}));
}

TEST(Channel, garbage_of_a_good_length_is_no_message) {
  const Pair pair;
  pair.send_raw(sizeof(Hello));
  ASSERT_EQ(pair.near->receive(), ReceiveStatus::message);
  EXPECT_EQ(pair.near->received().as<Hello>(), nullptr);
  EXPECT_EQ(pair.near->received().as<Punt>(), nullptr);
}

TEST(Channel, the_right_type_at_a_wrong_length_is_no_message) {
  const Pair pair;
  std::array<std::byte, sizeof(Punt) + 1> bytes{};
  const Header header{.type = Punt::type};
  std::memcpy(bytes.data(), &header, sizeof header);
  for (const std::size_t length : {sizeof(Header), sizeof(Punt) - 1, sizeof(Punt) + 1}) {
    ASSERT_GT(::send(pair.far.get(), bytes.data(), length, 0), 0);
    ASSERT_EQ(pair.near->receive(), ReceiveStatus::message);
    EXPECT_EQ(pair.near->received().as<Punt>(), nullptr) << length;
  }
  ASSERT_GT(::send(pair.far.get(), bytes.data(), sizeof(Punt), 0), 0);
  ASSERT_EQ(pair.near->receive(), ReceiveStatus::message);
  EXPECT_NE(pair.near->received().as<Punt>(), nullptr);
}

TEST(Channel, a_packet_too_short_closes) {
  const Pair pair;
  pair.send_raw(sizeof(Header) - 1);
  EXPECT_EQ(pair.near->receive(), ReceiveStatus::closed);
}

TEST(Channel, an_empty_packet_closes) {
  const Pair pair;
  pair.send_raw(0);
  EXPECT_EQ(pair.near->receive(), ReceiveStatus::closed);
}

TEST(Channel, a_packet_too_long_closes) {
  const Pair pair;
  pair.send_raw(max_message + 1);
  EXPECT_EQ(pair.near->receive(), ReceiveStatus::closed);
}

TEST(Channel, a_peer_that_left_is_noticed_both_ways) {
  Pair pair;
  pair.far.reset();
  EXPECT_EQ(pair.near->receive(), ReceiveStatus::closed);
  EXPECT_FALSE(pair.near->send(Hello{}));
}

TEST(Channel, a_peer_that_does_not_read_never_blocks_us) {
  const Pair pair;
  unsigned sent = 0;
  while (sent < 1'000'000 && pair.near->send(Inject{})) ++sent;
  EXPECT_GT(sent, 0u);
  EXPECT_LT(sent, 1'000'000u);
}

TEST_F(SocketFolder, listening_makes_folders_and_a_private_socket) {
  const auto listener = listen_at(path_, SOCK_SEQPACKET);
  ASSERT_TRUE(listener) << listener.error().message;
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST_F(SocketFolder, our_own_user_is_let_in) {
  const auto listener = listen_at(path_, SOCK_SEQPACKET);
  ASSERT_TRUE(listener);
  EXPECT_FALSE(accept_trusted(listener->get()));
  auto client = connect_to(path_, SOCK_SEQPACKET);
  ASSERT_TRUE(client) << client.error().message;
  auto server = accept_trusted(listener->get());
  ASSERT_TRUE(server);
  Channel a{*std::move(client)};
  Channel b{*std::move(server)};
  ASSERT_TRUE(a.send(GetStats{}));
  ASSERT_EQ(b.receive(), ReceiveStatus::message);
  EXPECT_NE(b.received().as<GetStats>(), nullptr);
}

TEST_F(SocketFolder, another_user_is_closed_on) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can pose as another user";
  const auto listener = listen_at(path_, SOCK_SEQPACKET);
  ASSERT_TRUE(listener);
  // Everybody may walk in, so that the peer credentials alone decide.
  for (auto at = path_; at != folder_.parent_path(); at = at.parent_path()) {
    std::filesystem::permissions(at, std::filesystem::perms::all);
  }
  constexpr uid_t nobody = 65534;
  ASSERT_EQ(::seteuid(nobody), 0);
  const auto client = connect_to(path_, SOCK_SEQPACKET);
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_TRUE(client) << client.error().message;
  EXPECT_FALSE(accept_trusted(listener->get()));
  std::byte byte{};
  EXPECT_EQ(::recv(client->get(), &byte, 1, MSG_DONTWAIT), 0);
}

TEST_F(SocketFolder, a_socket_somebody_answers_is_busy) {
  const auto first = listen_at(path_, SOCK_SEQPACKET);
  ASSERT_TRUE(first);
  for (const int type : {SOCK_SEQPACKET, SOCK_STREAM}) {
    const auto second = listen_at(path_, type);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::busy);
    EXPECT_EQ(second.error().message,
              "another Penstock answers at " + path_.string() + "; stop it first");
  }
  EXPECT_TRUE(connect_to(path_, SOCK_SEQPACKET));
}

TEST_F(SocketFolder, a_socket_file_that_nobody_answers_is_replaced) {
  {
    const auto dead = listen_at(path_, SOCK_SEQPACKET);
  }
  EXPECT_FALSE(connect_to(path_, SOCK_SEQPACKET));
  const auto listener = listen_at(path_, SOCK_SEQPACKET);
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_TRUE(connect_to(path_, SOCK_SEQPACKET));
}

TEST_F(SocketFolder, a_file_that_is_no_socket_is_left_alone) {
  std::filesystem::create_directories(path_);
  const auto listener = listen_at(path_, SOCK_STREAM);
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().kind, ErrorKind::busy);
  EXPECT_TRUE(std::filesystem::is_directory(path_));
}

TEST_F(SocketFolder, no_socket_is_missing_and_a_path_too_long_is_a_sentence) {
  const auto nobody = connect_to(path_, SOCK_STREAM);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().kind, ErrorKind::missing);
  EXPECT_EQ(nobody.error().message,
            "cannot reach " + path_.string() + ": No such file or directory");
  const auto too_long = folder_ / std::string(108, 'x');
  EXPECT_EQ(connect_to(too_long, SOCK_STREAM).error().kind, ErrorKind::config);
  EXPECT_EQ(listen_at(too_long, SOCK_STREAM).error().kind, ErrorKind::config);
}

}  // namespace
}  // namespace penstock::ipc
