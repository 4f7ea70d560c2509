#include "dataplane/session/session_table.hpp"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

TEST(SessionTable, FindsBySpiAndChecksTheGeneration) {
  test::TestSite site{0};
  ipc::InstallSession session = test::make_session();
  session.lanes_in = 3;
  SessionRecord& record = site.install(session, {});
  Session& share = *record.shares[0];
  SessionTable table;
  table.insert(share);

  const Spi base{session.local_spi_base};
  EXPECT_EQ(table.find(base), &share.in[0]);
  EXPECT_EQ(table.find(Spi{base.value + 2}), &share.in[2]);
  EXPECT_EQ(table.find(Spi{base.value + 3}), nullptr);
  EXPECT_EQ(table.find(Spi::make(8, base.slot(), 0)), nullptr);      // another generation
  EXPECT_EQ(table.find(Spi::make(7, base.slot() + 1, 0)), nullptr);  // another slot
  EXPECT_EQ(share.in[2].session, &share);
  table.set_current(0, &share);

  table.erase(share);
  EXPECT_EQ(table.find(base), nullptr);
  EXPECT_EQ(table.current(0), nullptr);
  EXPECT_TRUE(table.all().empty());
}

}  // namespace
}  // namespace penstock::dataplane
