// Several links between two sites, told apart by VLAN: what is one link's is no other's, in both
// directions, also while a link is down.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t plain_link = 0;
constexpr std::uint32_t vlan_link = 1;
constexpr std::uint16_t vlan = 7;

ipc::InstallSession session_of(std::uint32_t link, std::uint16_t of_vlan, std::uint32_t number) {
  ipc::InstallSession session = make_session(number);
  session.link = link;
  session.vlan = of_vlan;
  return session;
}

FakePacket packet_of(std::uint16_t of_vlan) {
  return {.bytes = make_packet(100), .vlan_tpid = 0x8100, .vlan_tci = of_vlan};
}

std::vector<std::byte> with_tag(const FakePacket& packet) {
  std::vector<std::byte> bytes = packet.bytes;
  std::vector<std::byte> tag(4);
  store_be16(tag.data(), packet.vlan_tpid);
  store_be16(&tag[2], packet.vlan_tci);
  bytes.insert(bytes.begin() + 12, tag.begin(), tag.end());
  return bytes;
}

class VlanLinks : public testing::Test {
 protected:
  void connect_plain() { pair.connect(session_of(plain_link, 0, 1)); }
  void connect_vlan() { pair.connect(session_of(vlan_link, vlan, 2)); }
  std::uint64_t sealed_on(std::uint32_t link) {
    for (const auto& record : pair.a.directory->all())
      if (record->info.link == link) return record->shares[0]->out->keys.next().value;
    return 0;
  }
  std::uint64_t drops(TestSite& site, DropReason reason) { return site.count()[reason]; }
  void send(FakePacket packet) {
    pair.a.plain.incoming.push_back(std::move(packet));
    pair.run();
  }

  TestPair pair;
};

TEST_F(VlanLinks, APacketGoesByItsLinkAndComesOutUnchanged) {
  connect_plain();
  connect_vlan();
  const auto before = std::pair{sealed_on(plain_link), sealed_on(vlan_link)};
  const FakePacket packet = packet_of(vlan);
  send(packet);
  EXPECT_EQ(sealed_on(plain_link), before.first);
  EXPECT_EQ(sealed_on(vlan_link), before.second + 1);
  ASSERT_EQ(pair.b.plain.sent.size(), 1u);
  EXPECT_EQ(pair.b.plain.sent[0].bytes, with_tag(packet));
  send({.bytes = make_packet(100)});
  send(packet_of(8));
  EXPECT_EQ(sealed_on(plain_link), before.first + 2);
  EXPECT_EQ(sealed_on(vlan_link), before.second + 1);
  EXPECT_EQ(pair.b.plain.sent.size(), 3u);
  expect_balanced(pair);
}

TEST_F(VlanLinks, ABurstIsSortedToItsLinks) {
  connect_plain();
  connect_vlan();
  for (int i = 0; i < 40; ++i) {
    pair.a.plain.incoming.push_back(packet_of(vlan));
    pair.a.plain.incoming.push_back({.bytes = make_packet(200)});
  }
  pair.run();
  EXPECT_EQ(pair.b.plain.sent.size(), 80u);
  expect_balanced(pair);
}

TEST_F(VlanLinks, ATagThatStandsInTheBytesCountsToo) {
  connect_plain();
  connect_vlan();
  const std::uint64_t before = sealed_on(vlan_link);
  send({.bytes = with_tag(packet_of(vlan))});
  EXPECT_EQ(sealed_on(vlan_link), before + 1);
}

TEST_F(VlanLinks, WithoutItsSessionAPacketFallsToNoOtherLink) {
  connect_plain();
  connect_vlan();
  pair.a.command({.kind = Command::Kind::remove, .session = pair.session_a->shares[0].get()});
  pair.run();
  send(packet_of(vlan));
  EXPECT_TRUE(pair.b.plain.sent.empty());
  EXPECT_EQ(drops(pair.a, DropReason::no_session), 1u);
  send({.bytes = make_packet(100)});
  EXPECT_EQ(pair.b.plain.sent.size(), 1u);
  expect_balanced(pair);
}

TEST_F(VlanLinks, AVlanIsKnownBeforeItsFirstSession) {
  connect_plain();
  pair.a.command({.kind = Command::Kind::vlan, .link = vlan_link, .vlan = vlan});
  pair.run();
  send(packet_of(vlan));
  EXPECT_TRUE(pair.b.plain.sent.empty());
  EXPECT_EQ(drops(pair.a, DropReason::no_session), 1u);
  pair.a.command({.kind = Command::Kind::link_gone, .link = vlan_link, .vlan = vlan});
  pair.run();
  send(packet_of(vlan));  // nor is it another's when its link is gone
  EXPECT_TRUE(pair.b.plain.sent.empty());
  EXPECT_EQ(drops(pair.a, DropReason::no_session), 2u);
}

TEST_F(VlanLinks, ALinkDeliversNothingOfAnothersVlan) {
  connect_plain();
  // B has another link for VLAN 7, A does not know of it and sends such packets by the plain one.
  pair.b.command({.kind = Command::Kind::vlan, .link = vlan_link, .vlan = vlan});
  pair.run();
  send(packet_of(vlan));
  EXPECT_TRUE(pair.b.plain.sent.empty());
  EXPECT_EQ(drops(pair.b, DropReason::bad_vlan), 1u);
  send(packet_of(8));
  EXPECT_EQ(pair.b.plain.sent.size(), 1u);
  expect_balanced(pair);
}

TEST_F(VlanLinks, ALinkWithAVlanDeliversNothingElse) {
  // A takes the link for one that carries everything.
  ipc::InstallSession session = session_of(vlan_link, 0, 2);
  ipc::InstallSession other = mirrored(session);
  other.vlan = vlan;
  pair.b.install(other, pair.now);
  pair.b.worker->turn(pair.now);
  pair.a.install(session, pair.now);
  pair.run();
  send({.bytes = make_packet(100)});
  send(packet_of(8));
  send({.bytes = make_packet(100), .vlan_tpid = 0x8100, .vlan_tci = 0xe000});
  EXPECT_TRUE(pair.b.plain.sent.empty());
  EXPECT_EQ(drops(pair.b, DropReason::bad_vlan), 3u);
  send(packet_of(vlan));
  EXPECT_EQ(pair.b.plain.sent.size(), 1u);
  expect_balanced(pair);
}

TEST_F(VlanLinks, ABusyLinkDoesNotKeepAQuietOnesFrame) {
  connect_plain();
  connect_vlan();
  const std::uint64_t quiet = sealed_on(plain_link);
  const std::uint64_t busy = sealed_on(vlan_link);
  pair.a.plain.incoming.push_back({.bytes = make_packet(100)});
  const auto busy_turn = [&] {
    while (pair.a.plain.incoming.size() < outbound::burst)
      pair.a.plain.incoming.push_back(packet_of(vlan));
    pair.a.worker->turn(pair.now);
  };
  busy_turn();
  pair.now += 150us;
  busy_turn();
  EXPECT_EQ(sealed_on(plain_link), quiet);  // there may be more for it
  EXPECT_GT(sealed_on(vlan_link), busy);
  pair.now += 50us;
  busy_turn();
  EXPECT_EQ(sealed_on(plain_link), quiet + 1);
  pair.run();
  EXPECT_EQ(pair.b.plain.sent.size(), 3 * outbound::burst);
  expect_balanced(pair);
}

TEST_F(VlanLinks, EachHoldsItsFramesAsItsSessionSays) {
  ipc::InstallSession patient = session_of(vlan_link, vlan, 2);
  pair.connect(session_of(plain_link, 0, 1));
  pair.a.hold = 5ms;
  pair.connect(patient);
  pair.a.plain.incoming.push_back(packet_of(vlan));
  pair.a.plain.incoming.push_back({.bytes = make_packet(100)});
  pair.run();
  EXPECT_EQ(pair.b.plain.sent.size(), 1u);
  EXPECT_LE(pair.a.worker->deadline(), pair.now + 5ms);
  pair.now += 5ms;
  pair.run();
  EXPECT_EQ(pair.b.plain.sent.size(), 2u);
}

}  // namespace
}  // namespace penstock::dataplane::test
