#include "dataplane/isa.hpp"

#include <gtest/gtest.h>

namespace penstock::dataplane {
namespace {

TEST(Isa, NamesAreTwo) {
  EXPECT_EQ(parse_isa("v2"), Isa::v2);
  EXPECT_EQ(parse_isa("v4"), Isa::v4);
  EXPECT_FALSE(parse_isa("v3"));
  EXPECT_FALSE(parse_isa(""));
  EXPECT_EQ(name(Isa::v4), "x86-64-v4");
}

// This test is no penstock-dataplane and has no sibling.
TEST(Isa, StaysWhereThereIsNoSibling) {
  ASSERT_EQ(built_for(), Isa::v2);
  char* argv[] = {nullptr};
  EXPECT_TRUE(switch_isa(std::nullopt, argv));
  EXPECT_TRUE(switch_isa(Isa::v2, argv));
  EXPECT_FALSE(switch_isa(Isa::v4, argv));
}

}  // namespace
}  // namespace penstock::dataplane
