#include "controlplane/session/install_message.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/crypto/vectors.hpp"

namespace penstock::controlplane {
namespace {

using crypto::ByteVector;
using crypto::Record;

Agreement agreement(Record& record, ipc::Role role) {
  Agreement made{.role = role,
                 .suite = *suite_from_code(load_be16(record["suite"].data())),
                 .shape = {.size = 1400, .tag = 16},
                 .own = {.spi_base = Spi{64}, .frame_size = 1400, .lanes = 64},
                 .peer = {.spi_base = Spi{128}, .frame_size = 1472, .lanes = 64},
                 .secret = crypto::SessionSecret{crypto::fixed<32>(record["secret"])},
                 .session_id = {}};
  std::ranges::copy(record["t4"], made.session_id.begin());
  return made;
}

// A key is what the vectors say, and zeros up to the end of its field.
void expect_key(Bytes field, const ByteVector& key, const std::string& name) {
  EXPECT_EQ(to_hex(field.first(key.size())), to_hex(key)) << name;
  EXPECT_TRUE(std::ranges::all_of(field.subspan(key.size()), [](std::byte byte) {
    return byte == std::byte{0};
  })) << name;
}

void expect_lanes(std::span<const ipc::LaneKeys> lanes, Record& record, char direction) {
  for (const std::size_t lane : {0, 1, 63}) {
    const std::string suffix = std::string{"_"} + direction + "_" + std::to_string(lane);
    expect_key(lanes[lane].encrypt, record["encrypt" + suffix], "encrypt" + suffix);
    expect_key(lanes[lane].mac, record["mac" + suffix], "mac" + suffix);
  }
}

void expect_probes(const ipc::LaneKeys& keys, Record& record, const std::string& direction) {
  expect_key(keys.encrypt, record["probe_encrypt_" + direction], "probe_encrypt_" + direction);
  expect_key(keys.mac, record["probe_mac_" + direction], "probe_mac_" + direction);
}

// Keys of each suite at its lengths, in each role, as tests/vectors/make_vectors.py has them.
TEST(InstallMessage, CarriesTheKeysThatItsSuiteHas) {
  auto records = crypto::read_vectors("sa_keys.txt");
  EXPECT_EQ(records.size(), protections.size());
  for (Record& record : records) {
    const auto starting = make_install(agreement(record, ipc::Role::initiator), {}, {});
    expect_lanes(starting->out, record, '0');
    expect_lanes(starting->in, record, '1');
    expect_probes(starting->probe_out, record, "0");
    expect_probes(starting->probe_in, record, "1");
    EXPECT_EQ(starting->suite, load_be16(record["suite"].data()));
    const auto answering = make_install(agreement(record, ipc::Role::responder), {}, {});
    expect_lanes(answering->out, record, '1');
    expect_lanes(answering->in, record, '0');
    expect_probes(answering->probe_out, record, "1");
    expect_probes(answering->probe_in, record, "0");
  }
}

TEST(InstallMessage, SaysWhatWasAgreed) {
  Record record = crypto::read_vectors("sa_keys.txt").front();
  Agreement agreed = agreement(record, ipc::Role::responder);
  agreed.own.lanes = 2;
  agreed.peer.lanes = 3;
  agreed.peer.flags = Parameters::takes_offload_flag;
  const Endpoint peer{.address = *parse_ip("192.0.2.7"), .port = 7};
  const auto box = make_install(agreed, {.link = 5, .peer = peer}, {});
  const ipc::InstallSession& message = *box;
  EXPECT_EQ(message.session_id, agreed.session_id);
  EXPECT_EQ(message.link, 5u);
  EXPECT_EQ(message.local_spi_base, 64u);
  EXPECT_EQ(message.remote_spi_base, 128u);
  EXPECT_EQ(message.role, ipc::Role::responder);
  EXPECT_EQ(message.frame_size, 1400);
  EXPECT_EQ(message.tag, 16);
  EXPECT_EQ(message.lanes_out, 2);
  EXPECT_EQ(message.lanes_in, 3);
  EXPECT_EQ(message.peer_takes_offload, 1);
  EXPECT_EQ(ipc::from_wire(message.peer), peer);
  // No key for a lane that nobody sends on.
  expect_key(message.out[2].encrypt, {}, "out");
  expect_key(message.in[3].mac, {}, "in");
}

TEST(InstallMessage, SaysWhatTheConfigWants) {
  using namespace std::chrono_literals;
  Record record = crypto::read_vectors("sa_keys.txt").front();
  LinkConfig config{.peer = std::string(limits::max_site_name, 'b')};
  config.max_age = Time{77};
  config.hold = 3us;
  config.dead_after = 7s;
  config.roam = true;
  config.vlan = 4094;
  const auto make = [&] {
    return make_install(agreement(record, ipc::Role::initiator), {}, config);
  };
  auto box = make();
  EXPECT_EQ(box->max_age_ns, 77u);
  EXPECT_EQ(box->hold_ns, 3000u);
  EXPECT_EQ(box->dead_after_ns, 7'000'000'000u);
  EXPECT_EQ(box->rekey_frames, 0u);
  EXPECT_EQ(box->roams, 1);
  EXPECT_EQ(box->uses_one_port, 1) << "the far side may be behind a NAT";
  EXPECT_EQ(box->vlan, 4094);
  EXPECT_EQ(std::string{box->peer_name.data()}, config.peer);
  config.roam = false;
  config.nat = true;
  config.rekey_bytes = 2800;
  box = make();
  EXPECT_EQ(box->roams, 0);
  EXPECT_EQ(box->uses_one_port, 1);
  EXPECT_EQ(box->rekey_frames, 2u);
  config.nat = false;
  EXPECT_EQ(make()->uses_one_port, 0);
  config.rekey_bytes = 1399;
  EXPECT_EQ(make()->rekey_frames, 1u) << "not never";
}

TEST(InstallMessage, SaysHowFramesAreTimed) {
  using namespace std::chrono_literals;
  Record record = crypto::read_vectors("sa_keys.txt").front();
  LinkConfig config;
  Endpoint peer{.address = *parse_ip("192.0.2.7"), .port = 7};
  const auto shaping = [&] {
    return make_install(agreement(record, ipc::Role::initiator), {.peer = peer}, config)->shaping;
  };
  EXPECT_FALSE(shaping().is_paced());
  EXPECT_EQ(shaping().steps, 1);

  config.shape = {.mode = ShapeMode::constant,
                  .rate = Rate{.per_second = 1'000'000'000},
                  .adapt = true,
                  .queue = 50ms};
  const std::uint64_t over_v4 = 1'000'000'000'000 / (8 * (1400 + 42));
  EXPECT_TRUE(shaping().is_paced());
  EXPECT_EQ(shaping().mode, ShapeMode::constant);
  EXPECT_EQ(shaping().rates[0], over_v4);
  EXPECT_EQ(shaping().rates[1], 0u);
  EXPECT_EQ(shaping().least_rate, over_v4 / 10);
  EXPECT_EQ(shaping().adapts, 1);
  EXPECT_EQ(shaping().queue_ns, 50'000'000u);
  peer.address = *parse_ip("2001:db8::7");
  EXPECT_EQ(shaping().rates[0], 1'000'000'000'000u / (8 * (1400 + 62)));

  config.shape = {.mode = ShapeMode::quantized,
                  .steps = {Rate{10, Rate::Unit::frames}, Rate{2000, Rate::Unit::frames}},
                  .dwell = 3s,
                  .adapt = true,
                  .least = Rate{5, Rate::Unit::frames}};
  EXPECT_EQ(shaping().mode, ShapeMode::quantized);
  EXPECT_EQ(shaping().steps, 2);
  EXPECT_EQ(shaping().rates[0], 10'000u);
  EXPECT_EQ(shaping().rates[1], 2'000'000u);
  EXPECT_EQ(shaping().least_rate, 5'000u);
  EXPECT_EQ(shaping().dwell_ns, 3'000'000'000u);
}

TEST(InstallMessage, SaysHowFramesAreMarked) {
  Record record = crypto::read_vectors("sa_keys.txt").front();
  LinkConfig config{.finds_mtu = true, .priority = PriorityBy::vlan, .dscp = 46, .ecn = true};
  auto box = make_install(agreement(record, ipc::Role::initiator), {}, config);
  EXPECT_EQ(box->shaping.priority, PriorityBy::vlan);
  EXPECT_EQ(box->shaping.dscp, 46);
  EXPECT_EQ(box->shaping.copies_dscp, 0);
  EXPECT_EQ(box->shaping.ecn, 1);
  EXPECT_EQ(box->shaping.finds_mtu, 1);
  config = {.copies_dscp = true};
  box = make_install(agreement(record, ipc::Role::initiator), {}, config);
  EXPECT_EQ(box->shaping.copies_dscp, 1);
  EXPECT_EQ(box->shaping.ecn, 0);
}

}  // namespace
}  // namespace penstock::controlplane
