// A pipe of a process's own input and output: a child, since it takes descriptors 0 and 1.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <utility>

#include "penstock/crypto/pipe_packets.hpp"
#include "tests/unit/controlplane/pipe/sockets.hpp"

#include "controlplane/pipe/server.hpp"

namespace penstock::controlplane::pipe {
namespace {

constexpr Secrecy not_forward{.is_forward = false};

// The far side, played by this process: a server's handshake, then packets by hand.
class StdioPipe : public testing::Test {
 protected:
  void start(int input, int output) {
    const EnginePlan& measured = plan();
    child = ::fork();
    if (child != 0) {
      far.near.reset();
      return;
    }
    ::dup2(input, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    far.far.reset();
    for (int fd : {in[1], out[0]}) ::close(fd);
    const crypto::FileKey key = file_key();
    const auto end = run_stdio({.secrecy = not_forward, .timeout = patience}, std::move(far.near),
                               key, measured);
    ::_exit(end ? static_cast<int>(*end) : 99);
  }

  void SetUp() override {
    ASSERT_EQ(::pipe2(in, O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(out, O_CLOEXEC), 0);
  }
  void shake() {
    SystemEntropy entropy;
    const crypto::FileKey key = file_key();
    Handshake handshake{Role::server, not_forward, key, entropy};
    while (!handshake.is_complete() || !handshake.output().empty()) {
      if (!handshake.output().empty()) {
        write_bytes(far.far.get(), handshake.output());
        handshake.sent(handshake.output().size());
        continue;
      }
      const ByteVector got = read_bytes(far.far.get(), handshake.wanted());
      ASSERT_FALSE(got.empty());
      ASSERT_EQ(handshake.feed(got), std::nullopt);
    }
    engine.emplace(PipeEngine::create(plan()).value());
    const crypto::PipeSessionKeys keys = handshake.take_keys();
    seal_keys.emplace(engine->expand(keys.server));
    open_keys.emplace(engine->expand(keys.client));
  }
  void send_text(Bytes text) {
    ByteVector packet(pipe_packet::size);
    std::ranges::copy(text, packet.begin());
    const auto length = static_cast<std::uint16_t>(text.size());
    engine->seal(*seal_keys, packet.data(), {&length, 1});
    write_bytes(far.far.get(), packet);
  }
  ByteVector receive_text() {
    ByteVector packet = read_bytes(far.far.get(), pipe_packet::size);
    std::uint16_t length = 0;
    if (packet.size() != pipe_packet::size ||
        engine->open(*open_keys, packet.data(), {&length, 1}) != 1) {
      return {};
    }
    packet.resize(length);
    return packet;
  }
  [[nodiscard]] std::optional<int> exit_code() const {
    int status = 0;
    if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return std::nullopt;
    return WEXITSTATUS(status);
  }
  void close_ours() {
    ::close(in[0]);
    ::close(out[1]);
  }

  int in[2];
  int out[2];
  SocketPair far;
  pid_t child = -1;
  std::optional<PipeEngine> engine;
  std::optional<PipeKeys> seal_keys;
  std::optional<PipeKeys> open_keys;
};

TEST_F(StdioPipe, CarriesBothWaysUntilBothAreClosed) {
  start(in[0], out[1]);
  close_ours();
  shake();
  const ByteVector there = pattern(700);
  ASSERT_EQ(::write(in[1], there.data(), there.size()), 700);
  EXPECT_EQ(receive_text(), there);
  ::close(in[1]);
  EXPECT_EQ(last_of(far.far.get()), Last::closed);
  const ByteVector back = pattern(900, 2);
  send_text(back);
  EXPECT_EQ(read_bytes(out[0], 900), back);
  far.far.reset();
  EXPECT_EQ(last_of(out[0]), Last::closed);
  EXPECT_EQ(exit_code(), static_cast<int>(End::finished));
}

TEST_F(StdioPipe, ReadsAFileThatNobodyCanWaitFor) {
  char name[] = "/tmp/penstock-stdio-XXXXXX";
  const UniqueFd file{::mkstemp(name)};
  ::unlink(name);
  const ByteVector text = pattern(1024);
  ASSERT_EQ(::write(file.get(), text.data(), text.size()), 1024);
  ::lseek(file.get(), 0, SEEK_SET);
  start(file.get(), out[1]);
  close_ours();
  shake();
  EXPECT_EQ(receive_text(), text);
  EXPECT_EQ(last_of(far.far.get()), Last::closed);
  far.far.reset();
  EXPECT_EQ(exit_code(), static_cast<int>(End::finished));
}

// As on a full disk: a part is taken, then nothing.
TEST_F(StdioPipe, SaysThatItsOutputTakesNoMore) {
  char name[] = "/tmp/penstock-stdio-XXXXXX";
  const UniqueFd file{::mkstemp(name)};
  ::unlink(name);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{.rlim_cur = 500, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto killed = std::signal(SIGXFSZ, SIG_IGN);
  start(in[0], file.get());
  std::signal(SIGXFSZ, killed);
  ::setrlimit(RLIMIT_FSIZE, &before);
  close_ours();
  shake();
  send_text(pattern(900));
  EXPECT_EQ(last_of(far.far.get()), Last::closed);
  EXPECT_EQ(exit_code(), 99);
}

TEST_F(StdioPipe, SaysThatTheFarSideCutTheHandshake) {
  start(in[0], out[1]);
  close_ours();
  far.far.reset();
  EXPECT_EQ(exit_code(), static_cast<int>(End::handshake_cut));
}

}  // namespace
}  // namespace penstock::controlplane::pipe
