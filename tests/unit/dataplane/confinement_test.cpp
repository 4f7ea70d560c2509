#include "dataplane/confinement.hpp"

#include <sys/prctl.h>

#include <csignal>
#include <map>

#include <gtest/gtest.h>

#include "tests/unit/base/fixture/confined.hpp"

namespace penstock::dataplane {
namespace {

using test::confined;
using test::error_of;

SiteConfig config_with(PortConfig::Kind wire) {
  SiteConfig config;
  config.run_dir = "/nowhere";
  config.plain = {.kind = PortConfig::Kind::af_packet, .device = "plain"};
  config.wire.port = {.kind = wire, .device = "net_memif0,socket=/nowhere/memif.sock"};
  return config;
}

Confinement of_packet_sockets() { return confinement_of(config_with(PortConfig::Kind::af_packet)); }
Confinement of_drivers() { return confinement_of(config_with(PortConfig::Kind::ethdev)); }

class DataplaneConfinement : public testing::Test {
  void SetUp() override {
    if (!confines_files_and_calls) GTEST_SKIP() << "a sanitizer is built in";
  }
};

TEST_F(DataplaneConfinement, ForbiddenCallsDie) {
  for (const auto& call : test::forbidden_calls)
    EXPECT_EQ(confined(of_packet_sockets(), call.act), -SIGSYS) << call.name;
  for (const auto& call : test::forbidden_sockets)
    EXPECT_EQ(confined(of_packet_sockets(), call.act), -SIGSYS) << call.name;
}

TEST_F(DataplaneConfinement, WithPacketSocketsAloneNoFileIsOpenedAndNobodyReached) {
  EXPECT_EQ(confined(of_packet_sockets(), [] { return test::read_error("/etc/shadow"); }), EACCES);
  const auto connect_somewhere = [] { return error_of(connect(0, nullptr, 0)); };
  EXPECT_EQ(confined(of_packet_sockets(), connect_somewhere), -SIGSYS);
  const int on = 1;
  const auto set_mark = [&] { return error_of(setsockopt(0, SOL_SOCKET, SO_MARK, &on, 4)); };
  EXPECT_EQ(confined(of_packet_sockets(), set_mark), -SIGSYS);
  const auto undo_privacy = [] { return error_of(prctl(PR_SET_DUMPABLE, 1UL, 0UL, 0UL, 0UL)); };
  EXPECT_EQ(confined(of_packet_sockets(), undo_privacy), -SIGSYS);
}

TEST_F(DataplaneConfinement, DriversMayDoMoreAndStillNeitherRunProgramsNorReadFiles) {
  for (const auto& call : test::forbidden_calls)
    EXPECT_EQ(confined(of_drivers(), call.act), -SIGSYS) << call.name;
  if (syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 1) GTEST_SKIP() << "no Landlock";
  for (const char* path : {"/etc/shadow", "/proc/self/mem", "/root", "/dev/null"})
    EXPECT_EQ(confined(of_drivers(), [path] { return test::read_error(path); }), EACCES) << path;
  EXPECT_EQ(confined(of_drivers(), [] { return test::read_error("/sys/class/net"); }), 0);
}

TEST_F(DataplaneConfinement, EveryLineHasAReason) {
  for (const auto& confinement : {of_packet_sockets(), of_drivers()}) {
    std::map<int, AllowedCall::Answer> answers;
    for (const AllowedCall& call : confinement.calls) {
      EXPECT_FALSE(call.reason.empty()) << call.number;
      EXPECT_EQ(answers.try_emplace(call.number, call.answer).first->second, call.answer)
          << call.number << " is both allowed and refused";
    }
    for (const auto& capability : confinement.capabilities) EXPECT_FALSE(capability.reason.empty());
    for (const auto& path : confinement.paths) EXPECT_FALSE(path.reason.empty());
  }
}

}  // namespace
}  // namespace penstock::dataplane
