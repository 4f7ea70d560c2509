#include "controlplane/shell/audit.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include <gtest/gtest.h>

namespace penstock::controlplane {
namespace {

std::string text_of(const std::string& file) {
  std::stringstream text;
  text << std::ifstream{file}.rdbuf();
  return text.str();
}

TEST(AuditLog, ALineHasTheTimeTheEventAndWhatBelongsToIt) {
  const std::string file = testing::TempDir() + "audit-log";
  ::unlink(file.c_str());
  AuditLog audit{UniqueFd{::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600)}};
  audit.write("key_loaded", "link=beta key=00ff");
  audit.write("peer_refused", "why=a\nforged=line");
  audit.write("reloaded", "");
  const std::regex lines{"[-0-9]{10}T[:.0-9]{12}Z key_loaded link=beta key=00ff\n"
                         "[-0-9]{10}T[:.0-9]{12}Z peer_refused why=a\\?forged=line\n"
                         "[-0-9]{10}T[:.0-9]{12}Z reloaded\n"};
  EXPECT_TRUE(std::regex_match(text_of(file), lines)) << text_of(file);
  ::unlink(file.c_str());
}

TEST(AuditLog, AFullDiskIsSaidOnceAndStopsNothing) {
  AuditLog audit{UniqueFd{::open("/dev/full", O_WRONLY)}};
  testing::internal::CaptureStderr();
  for (int event = 0; event < 3; ++event) audit.write("reloaded", "");
  const std::string said = testing::internal::GetCapturedStderr();
  const std::string complaint = "security events go to this log alone";
  const std::size_t first = said.find(complaint);
  ASSERT_NE(first, said.npos) << said;
  EXPECT_EQ(said.find(complaint, first + 1), said.npos) << said;
  EXPECT_NE(said.find("audit: reloaded"), said.npos);
}

TEST(AuditLog, GoesOnInAFileThatWasOpenedAgain) {
  const std::string file = testing::TempDir() + "audit-log-2";
  ::unlink(file.c_str());
  AuditLog audit{UniqueFd{::open("/dev/full", O_WRONLY)}};
  audit.reopened(fail(ErrorKind::system, "cannot append"));
  audit.reopened(UniqueFd{::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600)});
  audit.write("reloaded", "");
  EXPECT_NE(text_of(file).find("reloaded"), std::string::npos);
  ::unlink(file.c_str());
}

}  // namespace
}  // namespace penstock::controlplane
