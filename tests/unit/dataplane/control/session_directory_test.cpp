#include "dataplane/control/session_directory.hpp"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/site.hpp"

#include "dataplane/session/session_table.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using ipc::InstallResult;
using ipc::InstallSession;

class DirectoryTest : public testing::Test {
 protected:
  InstallSession session(std::uint32_t number = 1) {
    InstallSession message = test::make_session(number);
    message.peer = ipc::to_wire(site.peer);
    return message;
  }
  InstallResult result(const InstallSession& message) {
    const auto record = site.directory->install(message, now);
    return record ? InstallResult::installed : record.error();
  }
  template <class Change>
  void expect_refused(const char* what, Change change) {
    InstallSession message = session();
    change(message);
    EXPECT_EQ(result(message), InstallResult::bad_parameters) << what;
  }

  Time now = 1000s;
  test::TestSite site{0};
};

TEST_F(DirectoryTest, KnowsWhatItsBootIdIs) {
  InstallSession message = session();
  message.boot_id[0] = std::byte{1};
  EXPECT_EQ(result(message), InstallResult::wrong_boot);
}

TEST_F(DirectoryTest, RefusesParametersOutOfRange) {
  expect_refused("link", [](auto& m) { m.link = limits::max_links; });
  expect_refused("VLAN", [](auto& m) { m.vlan = 4095; });
  expect_refused("suite", [](auto& m) { m.suite = 0; });
  expect_refused("a step without a rate", [](auto& m) {
    m.shaping = {.rates = {1000, 0}, .mode = ShapeMode::quantized, .steps = 2};
  });
  expect_refused("steps that fall", [](auto& m) {
    m.shaping = {.rates = {2000, 1000}, .mode = ShapeMode::quantized, .steps = 2};
  });
  expect_refused("no steps", [](auto& m) {
    m.shaping = {.rates = {1000}, .mode = ShapeMode::quantized, .steps = 0};
  });
  expect_refused("more at least than at most", [](auto& m) {
    m.shaping = {.rates = {1000}, .least_rate = 1001, .mode = ShapeMode::constant, .adapts = 1};
  });
  expect_refused("DSCP", [](auto& m) { m.shaping.dscp = 64; });
  expect_refused("role", [](auto& m) { m.role = static_cast<ipc::Role>(2); });
  expect_refused("no lanes out", [](auto& m) { m.lanes_out = 0; });
  expect_refused("too many lanes in", [](auto& m) { m.lanes_in = 65; });
  expect_refused("short frames", [](auto& m) { m.frame_size = limits::min_frame_size - 1; });
  expect_refused("frames beyond the MTU", [](auto& m) { m.frame_size = 1473; });
  expect_refused("short tag", [](auto& m) { m.tag = limits::min_tag - 1; });
  expect_refused("tag longer than the MAC", [](auto& m) { m.tag = 33; });
  expect_refused("short tag of an AEAD", [](auto& m) {
    m.suite = Suite{KeyExchange::x25519, Protection::aes256_gcm}.code();
    m.tag = 12;
  });
  expect_refused("no encryption key", [](auto& m) { m.out[0].encrypt.fill({}); });
  expect_refused("no MAC key", [](auto& m) { m.in[0].mac.fill({}); });
  expect_refused("a lane without keys", [](auto& m) {
    m.lanes_in = 2;
    m.in[1] = {};
  });
  expect_refused("no SPI", [](auto& m) { m.local_spi_base = 0; });
  expect_refused("SPI with a lane", [](auto& m) { m.remote_spi_base |= 1; });
  expect_refused("no port", [](auto& m) { m.peer.port = 0; });
  expect_refused("no way there", [](auto& m) { m.peer.address[0] = std::byte{8}; });
  expect_refused("other IP version", [](auto& m) { m.peer.ip_version = 6; });
  EXPECT_TRUE(site.directory->all().empty());
  EXPECT_EQ(result(session()), InstallResult::installed);  // a refused id was not used up
}

TEST_F(DirectoryTest, LanesLeaveFromPortsOfTheirOwnUnlessBehindANat) {
  HeldBudget held;
  SessionDirectory two{
      {.max_frame_size = 1472, .self = site.self, .held = {&held, &held}}, site.engine, site.hops};
  const auto port_of = [&](const InstallSession& message, std::size_t worker) {
    const auto record = two.find(message.session_id);
    const OutboundSa& out = *record->shares[worker]->out;
    return load_be16(out.outer.bytes.data() + out.outer.length - udp_header);
  };
  InstallSession spread = session(1);
  spread.lanes_out = 2;
  InstallSession behind_nat = session(2);
  behind_nat.lanes_out = 2;
  behind_nat.uses_one_port = 1;
  for (const InstallSession& message : {spread, behind_nat}) ASSERT_TRUE(two.install(message, now));
  EXPECT_EQ(port_of(spread, 0), 7670u);
  EXPECT_EQ(port_of(spread, 1), 7671u);
  EXPECT_EQ(port_of(behind_nat, 0), 7670u);
  EXPECT_EQ(port_of(behind_nat, 1), 7670u);
}

TEST_F(DirectoryTest, StartsNoSessionTwice) {
  const auto record = site.directory->install(session(), now);
  ASSERT_TRUE(record);
  EXPECT_EQ(result(session()), InstallResult::seen_before);
  site.directory->erase(**record);
  EXPECT_EQ(site.directory->find(session().session_id), nullptr);
  EXPECT_EQ(result(session()), InstallResult::seen_before);
}

TEST_F(DirectoryTest, ASlotHoldsOneLivingSession) {
  const auto record = site.directory->install(session(1), now);
  InstallSession other = session(2);
  other.local_spi_base = Spi::make(99, Spi{session(1).local_spi_base}.slot(), 0).value;
  EXPECT_EQ(result(other), InstallResult::slot_taken);
  site.directory->erase(**record);
  EXPECT_EQ(result(other), InstallResult::installed);
}

TEST_F(DirectoryTest, HoldsSoManySessions) {
  const auto in_slot = [this](std::uint32_t number) {
    InstallSession message = session(number);
    message.local_spi_base = Spi::make(7, number, 0).value;
    return message;
  };
  for (std::uint32_t i = 1; i <= SessionTable::capacity; ++i)
    ASSERT_EQ(result(in_slot(i)), InstallResult::installed) << i;
  EXPECT_EQ(result(in_slot(SessionTable::capacity + 1)), InstallResult::no_memory);
}

TEST_F(DirectoryTest, MakesSharesAsTheMessageSays) {
  InstallSession message = session();
  message.lanes_in = 5;
  message.max_age_ns = ~std::uint64_t{0};  // must not overflow
  message.hold_ns = 3'000;
  message.dead_after_ns = 7'000'000'000;
  message.rekey_frames = 77;
  message.vlan = 9;
  message.peer_name = {'b', 'e', 't', 'a'};
  const auto record = site.directory->install(message, now);
  ASSERT_TRUE(record);
  const Session& share = *(*record)->shares[0];
  ASSERT_TRUE(share.out);
  EXPECT_EQ(share.out->keys.spi().value, message.remote_spi_base);
  EXPECT_TRUE(share.out->has_next_hop);
  EXPECT_EQ(share.out->keys.limits().hard_frames,
            limits::sa_limits(Protection::aes256_ctr_sha256, 1472).hard_frames);
  ASSERT_EQ(share.in.size(), 5u);
  EXPECT_EQ(share.in[4].spi.value, message.local_spi_base + 4);
  EXPECT_GT(share.installed_at + share.max_age, now);
  EXPECT_EQ(share.hold, 3us);
  EXPECT_EQ(share.dead_after, 7s);
  EXPECT_EQ(share.vlan, 9);
  EXPECT_EQ(share.out->keys.limits().rekey_frames, 77u);
  EXPECT_EQ(describe(**record, now).peer_name, message.peer_name);
  EXPECT_EQ(site.directory->find(share), *record);
}

TEST_F(DirectoryTest, LimitsOfASuiteOnlyComeDown) {
  InstallSession message = session();
  message.rekey_frames = ~std::uint64_t{0};
  const auto record = site.directory->install(message, now);
  ASSERT_TRUE(record);
  EXPECT_EQ((*record)->shares[0]->out->keys.limits().rekey_frames,
            limits::sa_limits(Protection::aes256_ctr_sha256, 1472).rekey_frames);
}

TEST_F(DirectoryTest, DescribesWithoutKeys) {
  const auto record = site.directory->install(session(), now);
  (*record)->shares[0]->progress.frames_sealed = 12;
  (*record)->shares[0]->progress.last_good = Time{now + 3s}.count();
  const ipc::SessionInfo info = describe(**record, now + 10s);
  EXPECT_EQ(info.session_id, session().session_id);
  EXPECT_EQ(info.state, ipc::SessionState::unconfirmed);
  EXPECT_EQ(info.frames_sealed, 12u);
  EXPECT_EQ(info.age_ns, std::uint64_t{10'000'000'000});
  EXPECT_EQ(info.idle_ns, std::uint64_t{7'000'000'000});
}

}  // namespace
}  // namespace penstock::dataplane
