#include "controlplane/shell/config_changes.hpp"

#include <gtest/gtest.h>

namespace penstock::controlplane {
namespace {

TEST(ConfigChanges, LinksAndIdentityNeedNoRestart) {
  SiteConfig before;
  SiteConfig after;
  after.links.emplace_back().peer = "gamma";
  after.identity_file = "identity";
  EXPECT_EQ(needs_a_restart(before, after), "");
}

TEST(ConfigChanges, WhatElseChangedIsNamed) {
  const SiteConfig before;
  SiteConfig after;
  after.wire.port.device = "eth7";
  EXPECT_EQ(needs_a_restart(before, after), "ports.wire.device");
  after.lab = true;
  after.wire.gateway.emplace();
  EXPECT_EQ(needs_a_restart(before, after), "site.lab, ports.wire.device, ports.wire.gateway");
}

}  // namespace
}  // namespace penstock::controlplane
