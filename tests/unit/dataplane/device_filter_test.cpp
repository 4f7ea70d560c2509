#include <array>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "dataplane/device/devargs.hpp"
#include "dataplane/device/kernel_filter.hpp"
#include "dataplane/device/open_port.hpp"

namespace penstock::dataplane {
namespace {

TEST(KernelFilter, NamesTheTableByTheInterface) {
  EXPECT_EQ(filter_table({.name = "eth-0", .index = 7}), "penstock_7");
}

TEST(KernelFilter, ReplacesTablesThatAKilledRunLeftBehind) {
  const std::array interfaces{FilteredInterface{.name = "eth0", .index = 2},
                              FilteredInterface{.name = "eth1", .index = 3}};
  const auto script = filter_script(interfaces, EgressHook::present);
  for (const auto* table : {"penstock_2", "penstock_3"})
    EXPECT_NE(script.find(fmt::format(
                  "table netdev {0}\ndelete table netdev {0}\ntable netdev {0} {{\n", table)),
              std::string::npos)
        << script;
}

TEST(KernelFilter, DropsBothDirectionsOfEachInterfaceButOurMark) {
  const std::array interfaces{FilteredInterface{.name = "eth0", .index = 2},
                              FilteredInterface{.name = "eth1", .index = 3}};
  const auto script = filter_script(interfaces, EgressHook::present);
  for (const auto* part :
       {"hook ingress device \"eth0\" priority -300; policy drop;",
        "hook ingress device \"eth1\" priority -300; policy drop;",
        "hook egress device \"eth0\" priority -300; policy drop; meta mark 0x70656e73",
        "hook egress device \"eth1\" priority -300; policy drop; meta mark 0x70656e73"})
    EXPECT_NE(script.find(part), std::string::npos) << part << " in\n" << script;
}

TEST(KernelFilter, LeavesEgressAloneWhereItCannotTellOursApart) {
  const std::array unmarked{FilteredInterface{.name = "eth0", .marks = false}};
  const auto without_mark = filter_script(unmarked, EgressHook::present);
  EXPECT_EQ(without_mark.find("egress"), std::string::npos);
  EXPECT_NE(without_mark.find("ingress device \"eth0\""), std::string::npos);

  const std::array marked{FilteredInterface{.name = "eth0"}};
  const auto without_hook = filter_script(marked, EgressHook::absent);
  EXPECT_EQ(without_hook.find("egress"), std::string::npos);
}

TEST(Devargs, TellPciAddressesFromNames) {
  EXPECT_TRUE(is_pci("0000:03:00.0"));
  EXPECT_TRUE(is_pci("03:00.1,some=argument"));
  EXPECT_FALSE(is_pci("net_memif0,role=client"));
  EXPECT_EQ(device_name("03:00.1,some=argument"), "0000:03:00.1");
  EXPECT_EQ(device_name("net_memif0,role=client"), "net_memif0");
}

TEST(Devargs, AreThoseOfEthdevPortsPlainFirst) {
  SiteConfig config;
  config.plain = {.kind = PortConfig::Kind::ethdev, .device = "net_memif0"};
  config.wire.port = {.kind = PortConfig::Kind::ethdev, .device = "03:00.0"};
  EXPECT_EQ(devargs_of(config), (std::vector<std::string>{"net_memif0", "03:00.0"}));
  config.plain = {.kind = PortConfig::Kind::af_packet, .device = "eth0"};
  EXPECT_EQ(devargs_of(config), (std::vector<std::string>{"03:00.0"}));
}

}  // namespace
}  // namespace penstock::dataplane
