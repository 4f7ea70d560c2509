#include "controlplane/cli/status_text.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "controlplane/admin/status.hpp"

namespace penstock::cli {
namespace {

using controlplane::DataplaneView;
using controlplane::LinkStatus;
using controlplane::SiteStatus;
using nlohmann::json;

std::uint64_t& at(SiteStatus& status, Counter counter) {
  return status.dataplane->stats.counters.values[static_cast<std::size_t>(counter)];
}

SiteStatus site() {
  SiteStatus status{.site = "alpha", .dataplane = DataplaneView{}};
  status.dataplane->stats.uptime_ns = 180'000'000'000;
  status.dataplane->stats.workers = 1;
  LinkStatus link;
  link.state = LinkStatus::State::up;
  link.peer = "beta";
  link.endpoint = *parse_endpoint("192.0.2.2", 7670);
  status.links.push_back(link);
  ipc::SessionInfo session;
  session.state = ipc::SessionState::current;
  session.suite = 0x0101;
  std::ranges::copy(std::string_view{"beta"}, session.peer_name.begin());
  session.frame_size = 1472;
  session.tag = 16;
  session.lanes_out = 1;
  session.lanes_in = 1;
  session.age_ns = 42'000'000'000;
  status.dataplane->sessions.push_back(session);
  return status;
}

bool shows(const std::string& page, std::string_view text) { return page.find(text) != page.npos; }

TEST(StatusText, says_what_is_up) {
  const std::string page = status_text(nullptr, to_json(site()), false);
  EXPECT_TRUE(shows(page, "data plane up for 3 min, 1 worker,")) << page;
  EXPECT_TRUE(shows(page, "link to beta at 192.0.2.2:7670: up\n")) << page;
  EXPECT_TRUE(shows(page, "X25519-AES256_CTR-SHA256, initiator for 42 s")) << page;
  EXPECT_TRUE(shows(page, "frames of 1472 bytes, tag 16")) << page;
  EXPECT_TRUE(shows(page, "books balanced")) << page;
  EXPECT_TRUE(shows(page, "nothing dropped")) << page;
}

TEST(StatusText, says_for_how_long_a_link_is_down_and_where_a_session_goes) {
  SiteStatus status = site();
  status.dataplane->sessions[0].peer = ipc::to_wire(*parse_endpoint("198.51.100.9:4000", 7670));
  status.links[0].silences = 2;
  std::string page = status_text(nullptr, to_json(status), false);
  EXPECT_TRUE(shows(page, "tag 16, to 198.51.100.9:4000\n  silent 2 times\n")) << page;
  status.dataplane->sessions[0].peer = ipc::to_wire(status.links[0].endpoint);
  EXPECT_TRUE(shows(status_text(nullptr, to_json(status), false), "tag 16\n"));
  status.links[0].state = LinkStatus::State::down;
  status.now = status.links[0].since + std::chrono::minutes{5};
  page = status_text(nullptr, to_json(status), false);
  EXPECT_TRUE(shows(page, "link to beta at 192.0.2.2:7670: down for 5 min\n")) << page;
}

TEST(StatusText, says_how_many_lanes_there_are) {
  SiteStatus status = site();
  EXPECT_FALSE(shows(status_text(nullptr, to_json(status), false), "lanes"));
  status.dataplane->sessions[0].lanes_out = 4;
  EXPECT_TRUE(shows(status_text(nullptr, to_json(status), false), " out; lanes 4 out, 1 in; "));
}

TEST(StatusText, says_how_the_session_is_sealed) {
  SiteStatus status = site();
  status.dataplane->sessions[0].suite = 0x0404;
  std::ranges::copy(std::string_view{"by VAES"},
                    status.dataplane->hello.engine_protections[3].begin());
  const std::string page = status_text(nullptr, to_json(status), false);
  EXPECT_TRUE(shows(page, "1 worker, , \n  AES256_GCM: by VAES\n")) << page;
  status.dataplane->sessions.clear();
  EXPECT_FALSE(shows(status_text(nullptr, to_json(status), false), "AES256_GCM"));
}

TEST(StatusText, shouts_when_nothing_is_protected) {
  SiteStatus status = site();
  status.dataplane->sessions[0].suite = 0x01ff;
  status.dataplane->sessions[0].tag = 0;
  const std::string page = status_text(nullptr, to_json(status), false);
  EXPECT_TRUE(shows(page, "7670: up\n  !!! suite X25519-NULL: NOTHING is encrypted or "
                          "authenticated !!!\n"))
      << page;
  EXPECT_TRUE(shows(status_text(nullptr, to_json(status), true), "\x1b[1;31m!!! suite"));
  EXPECT_FALSE(shows(status_text(nullptr, to_json(site()), false), "!!!"));
}

TEST(StatusText, says_that_the_config_also_allows_null) {
  const std::string_view line = "7670: up\n  the config also allows NULL, which protects nothing\n";
  SiteStatus status = site();
  EXPECT_FALSE(shows(status_text(nullptr, to_json(status), false), "NULL"));
  status.links[0].lists_null = true;
  EXPECT_TRUE(shows(status_text(nullptr, to_json(status), false), line));
  status.dataplane->sessions[0].suite = 0x01ff;
  EXPECT_FALSE(shows(status_text(nullptr, to_json(status), false), "also allows")) << "it is used";
}

TEST(StatusText, says_why_a_link_is_down) {
  SiteStatus status = site();
  status.links[0].state = LinkStatus::State::down;
  status.links[0].reason = "the far side does not hold the same key";
  status.now = status.links[0].since + std::chrono::minutes{5};
  const std::string page = status_text(nullptr, to_json(status), false);
  EXPECT_TRUE(shows(page, ": down for 5 min\n  the far side does not hold the same key\n")) << page;
}

TEST(StatusText, says_what_ails_a_link_that_is_up) {
  SiteStatus status = site();
  status.links[0].reason = "the last 3 handshakes failed: no answer from 192.0.2.2:7670";
  EXPECT_TRUE(shows(status_text(nullptr, to_json(status), false),
                    ": up, but the last 3 handshakes failed: no answer from 192.0.2.2:7670\n"));
  status.dataplane->sessions[0].idle_ns = 95'000'000'000;
  const std::string page = status_text(nullptr, to_json(status), false);
  EXPECT_TRUE(shows(page, ": up, but not heard for 95 s; the last 3 handshakes failed: no answer "
                          "from 192.0.2.2:7670\n"))
      << page;
}

TEST(StatusText, silence_is_said_only_while_this_side_sends) {
  SiteStatus before = site();
  before.dataplane->sessions[0].idle_ns = 95'000'000'000;
  SiteStatus now = before;
  EXPECT_TRUE(shows(status_text(to_json(before), to_json(now), false), "7670: up\n"));
  now.dataplane->sessions[0].frames_sealed = 1;
  EXPECT_TRUE(shows(status_text(to_json(before), to_json(now), false),
                    "7670: up, but not heard for 95 s\n"));
  now.dataplane->sessions[0].idle_ns = 14'000'000'000;
  EXPECT_TRUE(shows(status_text(to_json(before), to_json(now), false), "7670: up\n"));
}

TEST(StatusText, says_how_the_last_handshake_went) {
  SiteStatus status = site();
  status.now = Time{10'000'000'000};
  controlplane::HandshakeBook& book = status.links[0].handshakes;
  EXPECT_FALSE(shows(status_text(nullptr, to_json(status), false), "last handshake"));
  book.complete(
      {.is_inside = true, .started = Time{4'990'000'000}, .suite = suite_from_code(0x0101)},
      Time{5'000'000'000});
  EXPECT_TRUE(shows(status_text(nullptr, to_json(status), false),
                    "  last handshake 5 s ago: first, inside the session, as initiator, in 10 ms: "
                    "X25519-AES256_CTR-SHA256\n"));
  book.fail({}, controlplane::HandshakeFailure::no_answer, "no answer from there", status.now);
  book.refuse({}, controlplane::HandshakeFailure::refused_here, controlplane::Refusal::tag, "no",
              status.now);
  book.refuse_message(controlplane::Verdict::downgrade);
  const std::string page = status_text(nullptr, to_json(status), false);
  EXPECT_TRUE(
      shows(page, "    failed: no_answer 1, refused_here tag 1\n    refused: downgrade 1\n"))
      << page;
  EXPECT_TRUE(shows(page, "in the clear, as initiator, in 10000 ms: no\n")) << page;
}

TEST(StatusText, says_where_nothing_is_said) {
  SiteStatus status = site();
  status.links[0].endpoint = {};
  EXPECT_TRUE(shows(status_text(nullptr, to_json(status), false), "link to beta: up\n"));
}

TEST(StatusText, says_why_the_data_plane_is_down) {
  SiteStatus status = site();
  status.dataplane.reset();
  status.dataplane_reason = "it was switched off";
  const std::string page = status_text(nullptr, to_json(status), false);
  EXPECT_TRUE(shows(page, "data plane down: it was switched off\n")) << page;
  EXPECT_TRUE(shows(page, "link to beta")) << page;
}

TEST(StatusText, shows_drops_that_happened_with_their_meaning) {
  SiteStatus status = site();
  status.dataplane->stats.counters.drops[static_cast<std::size_t>(DropReason::bad_tag)] = 12;
  const std::string page = status_text(nullptr, to_json(status), false);
  EXPECT_TRUE(shows(page, "bad_tag                   12   not sealed by the far site")) << page;
  EXPECT_FALSE(shows(page, "replayed")) << page;
  EXPECT_TRUE(shows(page, "books do not balance: frame")) << page;
}

TEST(StatusText, says_how_well_frames_are_used) {
  SiteStatus status = site();
  EXPECT_TRUE(
      shows(status_text(nullptr, to_json(status), false), "- packets a frame, 0 B padding"));
  at(status, Counter::packed) = 30;
  at(status, Counter::payload_bytes) = 900;
  at(status, Counter::padding_bytes) = 100;
  at(status, Counter::frames_sealed) = 4;
  at(status, Counter::dummy_frames) = 1;
  const std::string page = status_text(nullptr, to_json(status), false);
  EXPECT_TRUE(shows(page, "90.0 %    books")) << page;
  EXPECT_TRUE(shows(page, "10.0 packets a frame, 100 B padding, 1 dummies\n")) << page;
}

TEST(StatusText, shows_how_a_links_frames_are_timed) {
  SiteStatus status = site();
  status.dataplane->links = {{.mode = ShapeMode::constant, .is_paced = 1, .rate = 250'000}};
  const std::string page = status_text(nullptr, to_json(status), false);
  EXPECT_TRUE(shows(page, "\n  constant at 250 frames/s")) << page;
}

TEST(StatusText, rates_come_from_two_looks_at_one_life_of_the_data_plane) {
  SiteStatus before = site();
  SiteStatus now = site();
  at(now, Counter::plain_received) = 1'500;
  at(now, Counter::plain_received_bytes) = 1'500'000;
  now.dataplane->stats.uptime_ns += 500'000'000;
  EXPECT_TRUE(shows(status_text(to_json(before), to_json(now), false), "24.0 Mbit/s"));
  EXPECT_TRUE(shows(status_text(to_json(before), to_json(now), false), "3.00 k/s"));
  before.dataplane->hello.boot_id.fill(std::byte{1});
  EXPECT_FALSE(shows(status_text(to_json(before), to_json(now), false), "Mbit/s"));
}

TEST(StatusText, colours_only_where_they_are_wanted) {
  EXPECT_TRUE(shows(status_text(nullptr, to_json(site()), true), "\x1b[32mup\x1b[0m"));
  EXPECT_FALSE(shows(status_text(nullptr, to_json(site()), false), "\x1b"));
}

TEST(StatusText, an_answer_of_another_version_throws) {
  EXPECT_THROW(static_cast<void>(status_text(nullptr, json::object(), false)), json::exception);
}

}  // namespace
}  // namespace penstock::cli
