#include "controlplane/cli/admin_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include <gtest/gtest.h>

#include "penstock/ipc/channel.hpp"

namespace penstock::cli {
namespace {

class AdminSocket : public testing::Test {
 protected:
  AdminSocket() {
    std::string pattern = testing::TempDir() + "penstock-cli-XXXXXX";
    run_ = ::mkdtemp(pattern.data());
  }
  ~AdminSocket() override { std::filesystem::remove_all(run_); }

  [[nodiscard]] UniqueFd listen(const char* site) const {
    auto listener = ipc::listen_at(run_ / site / "admin.sock", SOCK_STREAM);
    EXPECT_TRUE(listener);
    return listener ? *std::move(listener) : UniqueFd{};
  }

  std::filesystem::path run_;
};

TEST_F(AdminSocket, the_only_site_need_not_be_named) {
  const auto nobody = find_admin_socket({}, run_);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().kind, ErrorKind::missing);
  const UniqueFd alpha = listen("alpha");
  EXPECT_EQ(find_admin_socket({}, run_), run_ / "alpha/admin.sock");
  const UniqueFd beta = listen("beta");
  const auto two = find_admin_socket({}, run_);
  ASSERT_FALSE(two);
  EXPECT_TRUE(two.error().message.ends_with("; name one with --site")) << two.error().message;
  EXPECT_EQ(find_admin_socket({.site = "beta"}, run_), run_ / "beta/admin.sock");
}

TEST_F(AdminSocket, may_be_named_by_path_or_config) {
  EXPECT_EQ(find_admin_socket({.socket = "/x/y.sock"}, run_), "/x/y.sock");
  const auto missing = find_admin_socket({.file = run_ / "no.toml"}, run_);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::missing);
  EXPECT_TRUE(missing.error().message.ends_with("with --site NAME")) << missing.error().message;
}

TEST_F(AdminSocket, an_answer_is_one_line_that_makes_sense) {
  const UniqueFd listener = listen("alpha");
  const auto answered_with = [&](std::string_view answer) {
    std::jthread site{[&, answer] {
      pollfd poll{.fd = listener.get(), .events = POLLIN, .revents = 0};
      ::poll(&poll, 1, 60'000);
      const auto client = ipc::accept_trusted(listener.get());
      if (!client || ::send(client->get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
      poll = {.fd = client->get(), .events = POLLIN, .revents = 0};
      ::poll(&poll, 1, 60'000);  // closing with the request unread would reset
      std::array<char, 64> request{};
      static_cast<void>(::recv(client->get(), request.data(), request.size(), MSG_DONTWAIT));
    }};
    return ask_admin(run_ / "alpha/admin.sock", {{"method", "status"}});
  };
  EXPECT_EQ(answered_with("{\"ok\":true,\"result\":7}\n"), nlohmann::json(7));
  EXPECT_EQ(answered_with("{\"ok\":false,\"error\":\"no\"}\n").error().message, "no");
  EXPECT_EQ(answered_with("{}\n").error().kind, ErrorKind::protocol);
  EXPECT_EQ(answered_with("\xff\n").error().kind, ErrorKind::protocol);
  EXPECT_EQ(answered_with("{\"ok\":true").error().kind, ErrorKind::busy) << "it hung up";
}

TEST_F(AdminSocket, a_site_that_does_not_run_is_a_sentence) {
  const auto refused = ask_admin(run_ / "alpha/admin.sock", {{"method", "status"}});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.starts_with("the site does not run"))
      << refused.error().message;
}

TEST_F(AdminSocket, a_site_that_lost_only_penstockd_is_not_called_dead) {
  const auto dataplane = ipc::listen_at(run_ / "alpha/dataplane.sock", SOCK_SEQPACKET);
  ASSERT_TRUE(dataplane);
  const auto refused = ask_admin(run_ / "alpha/admin.sock", {{"method", "status"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "penstockd does not answer; traffic may still flow; look at its log");
}

TEST_F(AdminSocket, what_may_not_be_seen_is_not_called_absent) {
  const UniqueFd opx = listen("opx");
  std::filesystem::permissions(run_, std::filesystem::perms{0755});
  std::filesystem::permissions(run_ / "opx", std::filesystem::perms::none);
  const bool is_root = ::geteuid() == 0;  // whom no mode keeps out
  if (is_root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto found = find_admin_socket({}, run_);
  const auto asked = ask_admin(run_ / "opx/admin.sock", {{"method", "status"}});
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  std::filesystem::permissions(run_ / "opx", std::filesystem::perms{0700});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message,
            "no permission to look into " + (run_ / "opx").string() + ": run as root");
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().message,
            "no permission to reach " + (run_ / "opx/admin.sock").string() + ": run as root");
}

}  // namespace
}  // namespace penstock::cli
