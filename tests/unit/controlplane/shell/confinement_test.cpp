#include "controlplane/shell/confinement.hpp"

#include <sys/un.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/base/fixture/confined.hpp"

namespace penstock::controlplane {
namespace {

using test::confined;
using test::error_of;

class ControlPlaneConfinement : public testing::Test {
 protected:
  void SetUp() override {
    if (!confines_files_and_calls) GTEST_SKIP() << "a sanitizer is built in";
    std::string name = testing::TempDir() + "confinement-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    config_.run_dir = name;
  }
  void TearDown() override {
    if (!config_.run_dir.empty()) std::filesystem::remove_all(config_.run_dir);
  }
  [[nodiscard]] Confinement confinement() const { return confinement_of(config_); }

  SiteConfig config_;
};

TEST_F(ControlPlaneConfinement, ForbiddenCallsDie) {
  for (const auto& call : test::forbidden_calls)
    EXPECT_EQ(confined(confinement(), call.act), -SIGSYS) << call.name;
  for (const auto& call : test::forbidden_sockets)
    EXPECT_EQ(confined(confinement(), call.act), -SIGSYS) << call.name;
}

TEST_F(ControlPlaneConfinement, OpensNoFile) {
  EXPECT_EQ(confined(confinement(), [] { return test::read_error("/etc/shadow"); }), EACCES);
}

TEST_F(ControlPlaneConfinement, RemovesFilesOfItsRunDirAlone) {
  const std::string ours = config_.admin_socket();
  const std::string others = testing::TempDir() + "confinement-other";
  for (const auto& file : {ours, others}) std::ofstream{file};
  EXPECT_EQ(confined(confinement(), [&] { return error_of(unlink(ours.c_str())); }), 0);
  if (syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 1) GTEST_SKIP() << "no Landlock";
  EXPECT_EQ(confined(confinement(), [&] { return error_of(unlink(others.c_str())); }), EACCES);
  std::filesystem::remove(others);
}

TEST_F(ControlPlaneConfinement, ReachesTheDataPlaneThatComesLater) {
  const auto reach = [this] {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    config_.dataplane_socket().string().copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    return error_of(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  };
  EXPECT_EQ(confined(confinement(), reach), ENOENT);
}

TEST_F(ControlPlaneConfinement, EveryLineHasAReason) {
  const Confinement all = confinement();
  for (const AllowedCall& call : all.calls) EXPECT_FALSE(call.reason.empty()) << call.number;
  for (const auto& capability : all.capabilities) EXPECT_FALSE(capability.reason.empty());
  for (const auto& path : all.paths) EXPECT_FALSE(path.reason.empty());
}

}  // namespace
}  // namespace penstock::controlplane
