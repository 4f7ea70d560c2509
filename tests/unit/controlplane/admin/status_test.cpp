#include "controlplane/admin/status.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace penstock::controlplane {
namespace {

using nlohmann::json;

template <std::size_t N>
void put(std::array<char, N>& to, std::string_view text) {
  std::ranges::copy(text.substr(0, N), to.begin());
}

ipc::SessionInfo session(ipc::SessionState state, std::uint32_t link, std::byte id) {
  ipc::SessionInfo info;
  info.session_id.fill(id);
  put(info.peer_name, link == 0 ? "beta" : "gamma");
  info.state = state;
  info.role = ipc::Role::responder;
  info.suite = 0x0101;
  info.local_spi_base = 0x12;
  info.remote_spi_base = 0xfedcba98;
  info.age_ns = 1'500'000'000;
  return info;
}

SiteStatus site(std::vector<ipc::SessionInfo> sessions) {
  SiteStatus status{.site = "alpha", .uptime = Time{2'000'000'000}, .dataplane = DataplaneView{}};
  status.links.resize(2);
  status.links[0].peer = "beta";
  status.links[1].peer = "gamma";
  status.links[1].state = LinkStatus::State::up;
  status.dataplane->sessions = std::move(sessions);
  return status;
}

TEST(Status, sessions_stand_with_their_link) {
  const json result = to_json(site({session(ipc::SessionState::retiring, 1, std::byte{1}),
                                    session(ipc::SessionState::current, 1, std::byte{2}),
                                    session(ipc::SessionState::unconfirmed, 0, std::byte{3})}));
  EXPECT_TRUE(result["links"][0]["session"].is_null());
  EXPECT_EQ(result["links"][0]["sessions"].size(), 1u);
  EXPECT_EQ(result["links"][0]["sessions"][0]["state"], "unconfirmed");
  EXPECT_EQ(result["links"][0]["state"], "down");
  const json& link = result["links"][1];
  EXPECT_EQ(link["state"], "up");
  EXPECT_EQ(link["sessions"].size(), 2u);
  EXPECT_EQ(link["session"]["id"], "0202020202020202");
  EXPECT_EQ(link["session"]["role"], "responder");
  EXPECT_EQ(link["session"]["suite"], "X25519-AES256_CTR-SHA256");
  EXPECT_EQ(link["session"]["local_spi"], "0x00000012");
  EXPECT_EQ(link["session"]["remote_spi"], "0xfedcba98");
  EXPECT_EQ(link["session"]["age_s"], 1.5);
}

TEST(Status, each_worker_has_its_figures) {
  SiteStatus status = site({});
  for (std::uint32_t worker = 0; worker < 2; ++worker) {
    ipc::WorkerStats stats{.worker = worker};
    stats.counters.values[static_cast<std::size_t>(Counter::frames_opened)] = 5 + worker;
    stats.counters.drops[static_cast<std::size_t>(DropReason::mesh_full)] = worker;
    status.dataplane->workers.push_back(stats);
  }
  const json workers = to_json(status)["workers"];
  ASSERT_EQ(workers.size(), 2u);
  EXPECT_EQ(workers[0]["worker"], 0);
  EXPECT_EQ(workers[0]["counters"]["frames_opened"], 5);
  EXPECT_EQ(workers[0]["counters"]["frames_sealed"], 0);
  EXPECT_EQ(workers[0]["drops"], json::object());
  EXPECT_EQ(workers[1]["worker"], 1);
  EXPECT_EQ(workers[1]["counters"]["frames_opened"], 6);
  EXPECT_EQ(workers[1]["gauges"]["held_frames"], 0);
  EXPECT_EQ(workers[1]["drops"], (json{{"mesh_full", 1}}));
  status.dataplane.reset();
  EXPECT_TRUE(to_json(status)["workers"].is_null());
}

TEST(Status, figures_stand_with_their_link) {
  SiteStatus status = site({session(ipc::SessionState::current, 0, std::byte{1})});
  status.dataplane->links = {{.link = 1, .is_paced = 1, .rate = 1000}, {.link = 7}};
  const json links = to_json(status)["links"];
  EXPECT_EQ(links[0]["shaping"], (json{{"mode", "burst"}, {"is_paced", false}}));
  EXPECT_TRUE(links[0]["queues"].is_null());
  EXPECT_EQ(links[1]["shaping"]["frames_per_s"], 1.0);
  EXPECT_EQ(links[1]["queues"].size(), packet_classes);
  EXPECT_TRUE(links[1]["path"].is_null());
}

TEST(Status, a_link_tells_its_last_handshake) {
  SiteStatus status = site({});
  EXPECT_TRUE(to_json(status)["links"][0]["last_handshake"].is_null());
  status.now = Time{10'000'000'000};
  HandshakeStory story{.cause = HandshakeCause::limit, .is_inside = true};
  story.started = Time{7'000'000'000};
  story.suite = *suite_from_code(0x0101);
  status.links[0].handshakes.complete(story, Time{7'250'000'000});
  status.links[0].since = Time{4'000'000'000};
  json link = to_json(status)["links"][0];
  EXPECT_EQ(link["since_s"], 6.0);
  EXPECT_EQ(link["last_handshake"], (json{{"when_s_ago", 2.75},
                                          {"cause", "bytes or frames"},
                                          {"route", "inside"},
                                          {"role", "initiator"},
                                          {"result", "session"},
                                          {"reason", ""},
                                          {"duration_ms", 250.0},
                                          {"suite", "X25519-AES256_CTR-SHA256"}}));
  status.links[0].handshakes.refuse({.role = ipc::Role::responder}, HandshakeFailure::refused_here,
                                    Refusal::tag, "refused here: short", status.now);
  link = to_json(status)["links"][0];
  EXPECT_EQ(link["last_handshake"]["result"], "refused_here");
  EXPECT_EQ(link["last_handshake"]["reason"], "refused here: short");
  EXPECT_TRUE(link["last_handshake"]["suite"].is_null());
}

TEST(Status, what_failed_is_counted_by_name) {
  SiteStatus status = site({});
  HandshakeBook& book = status.links[0].handshakes;
  for (std::size_t i = 0; i < handshake_failures; ++i) book.failed_by[i] = 10 + i;
  for (std::size_t i = 0; i < refusal_count; ++i) book.refused_here[i] = 20 + i;
  for (std::size_t i = 0; i < refusal_count; ++i) book.refused_by_far_side[i] = 30 + i;
  for (std::size_t i = 0; i < verdict_count; ++i) book.messages_refused_by[i] = 40 + i;
  const json link = to_json(status)["links"][0];
  EXPECT_EQ(link["handshakes_failed_by"].size(), handshake_failures);
  EXPECT_EQ(link["handshakes_failed_by"]["no_answer"], 10);
  EXPECT_EQ(link["handshakes_failed_by"]["refused_here"].size(), refusal_count);
  EXPECT_EQ(link["handshakes_failed_by"]["refused_here"]["suite"], 21);
  EXPECT_EQ(link["handshakes_failed_by"]["refused_by_far_side"]["identity"], 36);
  EXPECT_EQ(link["messages_refused_by"].size(), verdict_count);
  EXPECT_EQ(link["messages_refused_by"]["bad_length"], 40);
  EXPECT_FALSE(link["messages_refused_by"].contains("unknown"));
  EXPECT_EQ(to_string(static_cast<Verdict>(verdict_count)), "unknown") << "one is missing";
}

TEST(Status, a_change_of_keys_is_told_with_both) {
  SiteStatus status = site({});
  LinkStatus::Key& key = status.links[0].key;
  const auto told = [&] { return to_json(status)["links"][0]["key"]; };
  EXPECT_EQ(told()["state"], "none");
  EXPECT_TRUE(told()["fingerprint"].is_null());
  key.newest.fill(std::byte{0xab});
  key.state = LinkStatus::Key::State::only;
  EXPECT_EQ(told(), (json{{"state", "only"},
                          {"advice", ""},
                          {"fingerprint", "abababababababab"},
                          {"old_fingerprint", nullptr}}));
  key.old.emplace().fill(std::byte{0xcd});
  key.state = LinkStatus::Key::State::old_in_use;
  EXPECT_EQ(told()["state"], "old (the far side has not answered to the new one yet)");
  EXPECT_EQ(told()["old_fingerprint"], "cdcdcdcdcdcdcdcd");
  key.state = LinkStatus::Key::State::new_proved;
  EXPECT_EQ(told()["state"], "new proved, old retired");
  EXPECT_EQ(told()["advice"], "remove old_key_file");
}

TEST(Status, an_endpoint_is_told_as_far_as_it_is_known) {
  SiteStatus status = site({});
  const auto endpoint = [&] { return to_json(status)["links"][0]["endpoint"]; };
  EXPECT_EQ(endpoint(), "");
  status.links[0].endpoint_name = "beta.example";
  EXPECT_EQ(endpoint(), "beta.example");
  status.links[0].endpoint = *parse_endpoint("192.0.2.2:7", 1);
  EXPECT_EQ(endpoint(), "192.0.2.2:7");
  EXPECT_EQ(to_json(status)["links"][0]["endpoint_name"], "beta.example");
}

TEST(Status, texts_of_the_data_plane_may_fill_their_field) {
  SiteStatus status = site({});
  put(status.dataplane->hello.isa, "x86-64-v4");
  put(status.dataplane->hello.plain_device, std::string(64, 'p'));
  const json result = to_json(status);
  EXPECT_EQ(result["data_plane"]["isa"], "x86-64-v4");
  EXPECT_EQ(result["data_plane"]["plain_device"], std::string(64, 'p'));
}

TEST(Status, each_protection_has_its_code) {
  SiteStatus status = site({});
  for (std::size_t i = 0; i < protections.size(); ++i) {
    put(status.dataplane->hello.engine_protections[i], "way " + std::to_string(i));
  }
  const json engines = to_json(status)["data_plane"]["engine_protections"];
  EXPECT_EQ(engines.size(), protections.size());
  EXPECT_EQ(engines["AES256_CTR-SHA256"], "way 0");
  EXPECT_EQ(engines["NULL"], "way 5");
}

TEST(Status, an_unprotected_session_is_told_as_such) {
  std::vector sessions{session(ipc::SessionState::retiring, 0, std::byte{1}),
                       session(ipc::SessionState::current, 0, std::byte{2}),
                       session(ipc::SessionState::unconfirmed, 0, std::byte{3})};
  sessions[1].suite = 0x01ff;
  sessions[2].suite = 0x0777;
  const json link = to_json(site(sessions))["links"][0];
  EXPECT_EQ(link["session"]["suite"], "X25519-NULL");
  EXPECT_EQ(link["session"]["is_protected"], false);
  EXPECT_EQ(link["sessions"][0]["is_protected"], true);
  EXPECT_TRUE(link["sessions"][2]["is_protected"].is_null()) << "a suite of another version";
}

TEST(Status, a_lab_and_a_link_that_lists_null_are_told_as_such) {
  SiteStatus status = site({});
  EXPECT_EQ(to_json(status)["lab"], false);
  EXPECT_EQ(to_json(status)["links"][1]["lists_null"], false);
  status.lab = true;
  status.links[1].lists_null = true;
  EXPECT_EQ(to_json(status)["lab"], true);
  EXPECT_EQ(to_json(status)["links"][0]["lists_null"], false);
  EXPECT_EQ(to_json(status)["links"][1]["lists_null"], true);
}

TEST(Status, every_counter_gauge_and_drop_stands_under_its_name) {
  SiteStatus status = site({});
  Counters& counters = status.dataplane->stats.counters;
  for (std::size_t i = 0; i < counter_count; ++i) counters.values[i] = 100 + i;
  for (std::size_t i = 0; i < gauge_count; ++i) counters.gauges[i] = 200 + i;
  for (std::size_t i = 0; i < drop_reason_count; ++i) counters.drops[i] = 300 + i;
  const json result = to_json(status);
  EXPECT_EQ(result["counters"].size(), counter_count);
  EXPECT_EQ(result["gauges"].size(), gauge_count);
  EXPECT_EQ(result["drops"].size(), drop_reason_count);
  EXPECT_EQ(result["counters"]["plain_received"], 100);
  EXPECT_EQ(result["gauges"]["held_plain"], 200);
  EXPECT_EQ(result["drops"]["no_session"], 300);
  EXPECT_EQ(result["books"], "plain");
}

TEST(Status, fill_is_unknown_until_something_was_sealed) {
  SiteStatus status = site({});
  EXPECT_TRUE(to_json(status)["fill"].is_null());
  status.dataplane->stats.counters.values[static_cast<std::size_t>(Counter::payload_bytes)] = 3;
  status.dataplane->stats.counters.values[static_cast<std::size_t>(Counter::padding_bytes)] = 1;
  EXPECT_EQ(to_json(status)["fill"], 0.75);
  EXPECT_EQ(to_json(status)["packing"]["fill"], 0.75);
  EXPECT_TRUE(to_json(status)["packing"]["packets_a_frame"].is_null());
  EXPECT_EQ(to_json(status)["books"], "balanced");
}

TEST(Status, a_data_plane_that_is_down_has_a_reason_and_no_numbers) {
  SiteStatus status = site({});
  status.dataplane.reset();
  status.dataplane_reason = "it was switched off";
  const json result = to_json(status);
  EXPECT_EQ(result["data_plane"]["state"], "down");
  EXPECT_EQ(result["data_plane"]["reason"], "it was switched off");
  EXPECT_EQ(result["data_plane"].size(), to_json(site({}))["data_plane"].size());
  for (const char* key : {"counters", "gauges", "drops", "fill", "books"}) {
    EXPECT_TRUE(result.at(key).is_null()) << key;
  }
}

}  // namespace
}  // namespace penstock::controlplane
