#include "controlplane/cli/admin_client.hpp"

#include <sys/socket.h>
#include <unistd.h>

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
}

TEST_F(AdminSocket, a_site_that_closes_without_an_answer_is_a_sentence) {
  const auto path = run_ / "alpha/admin.sock";
  UniqueFd listener = listen("alpha");
  const int raw = listener.get();
  // The connection waits in the backlog; closing the listener closes it too.
  const auto refused = [&] {
    ::shutdown(raw, SHUT_RDWR);
    return ask_admin(path, {{"method", "status"}});
  }();
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.starts_with("the site does not run"))
      << refused.error().message;
}

}  // namespace
}  // namespace penstock::cli
