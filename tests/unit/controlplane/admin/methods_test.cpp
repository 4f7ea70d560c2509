#include "controlplane/admin/methods.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace penstock::controlplane {
namespace {

using nlohmann::json;

class Target final : public AdminTarget {
 public:
  void ask_status(std::function<void(SiteStatus)> on_status) override {
    waiting = std::move(on_status);
  }
  void ask_topology(std::function<void(const Result<std::string>&)> on_text) override {
    if (is_bad) return on_text(fail(ErrorKind::missing, "it does not run"));
    on_text("worker 0\n");
  }
  Result<void> rekey(std::string_view peer) override {
    rekeyed = peer;
    if (peer == "beta") return {};
    return fail(ErrorKind::missing, "there is no such peer");
  }

  void reload(OnReloaded on_reloaded) override {
    if (is_bad) return on_reloaded(fail(ErrorKind::config, "site.toml:3: no"));
    on_reloaded(
        ReloadReport{.added = {"gamma"}, .changed = {}, .removed = {"beta"}, .untouched = 2});
  }
  void zeroize(const Caller& caller, OnZeroized on_zeroized) override {
    zeroized_by = caller.uid;
    on_zeroized(ZeroizeReport{.links = 3, .sessions = sessions, .pipes = 2});
  }
  void restore_key(const std::string& peer, OnDone on_done) override {
    restored = peer;
    on_done({});
  }

  bool is_bad = false;
  std::optional<std::uint32_t> sessions;
  std::optional<uid_t> zeroized_by;
  std::string restored;
  std::function<void(SiteStatus)> waiting;
  std::string rekeyed;
};

class AdminMethods : public testing::Test {
 protected:
  void ask(std::string_view line) {
    answer_admin(target_, caller_, line, [this](const json& answer) {
      EXPECT_FALSE(answer_) << "answered twice";
      answer_ = answer;
    });
  }
  json answer_to(std::string_view line) {
    answer_.reset();
    ask(line);
    EXPECT_TRUE(answer_) << line;
    return answer_.value_or(json{});
  }

  Target target_;
  Caller caller_{.uid = 7, .pid = 8, .may_act = true};
  std::optional<json> answer_;
};

TEST_F(AdminMethods, status_is_answered_when_it_is_known) {
  ask(R"({"method":"status"})");
  EXPECT_FALSE(answer_);
  SiteStatus status;
  status.site = "alpha";
  target_.waiting(status);
  ASSERT_TRUE(answer_);
  EXPECT_EQ(answer_->at("ok"), true);
  EXPECT_EQ(answer_->at("result").at("site"), "alpha");
}

TEST_F(AdminMethods, topology_is_text_or_why_there_is_none) {
  EXPECT_EQ(answer_to(R"({"method":"topology"})").at("result").at("text"), "worker 0\n");
  target_.is_bad = true;
  EXPECT_EQ(answer_to(R"({"method":"topology"})").at("error"), "it does not run");
}

TEST_F(AdminMethods, rekey_names_its_peer) {
  EXPECT_EQ(answer_to(R"({"method":"rekey","peer":"beta"})"),
            (json{{"ok", true}, {"result", json::object()}}));
  EXPECT_EQ(target_.rekeyed, "beta");
  EXPECT_EQ(answer_to(R"({"method":"rekey","peer":"gamma"})"),
            (json{{"ok", false}, {"error", "there is no such peer"}}));
}

TEST_F(AdminMethods, reload_says_what_it_did_or_why_not) {
  EXPECT_EQ(answer_to(R"({"method":"reload"})").at("result"), (json{{"added", {"gamma"}},
                                                                    {"changed", json::array()},
                                                                    {"removed", {"beta"}},
                                                                    {"untouched", 2}}));
  target_.is_bad = true;
  EXPECT_EQ(answer_to(R"({"method":"reload"})").at("error"), "site.toml:3: no");
}

TEST_F(AdminMethods, zeroize_knows_who_asks) {
  EXPECT_EQ(answer_to(R"({"method":"zeroize"})").at("result"),
            (json{{"links", 3}, {"sessions", nullptr}, {"pipes", 2}}));
  EXPECT_EQ(target_.zeroized_by, 7u);
  target_.sessions = 4;
  EXPECT_EQ(answer_to(R"({"method":"zeroize"})").at("result").at("sessions"), 4);
}

TEST_F(AdminMethods, restore_key_names_its_peer) {
  EXPECT_EQ(answer_to(R"({"method":"restore_key","peer":"beta"})").at("ok"), true);
  EXPECT_EQ(target_.restored, "beta");
}

TEST_F(AdminMethods, who_may_not_act_may_read) {
  caller_.may_act = false;
  for (const char* line : {R"({"method":"rekey","peer":"beta"})", R"({"method":"reload"})",
                           R"({"method":"zeroize"})", R"({"method":"restore_key"})"}) {
    const json answer = answer_to(line);
    EXPECT_EQ(answer.at("ok"), false) << line;
    EXPECT_NE(answer.at("error").get<std::string>().find("only root"), std::string::npos) << line;
  }
  EXPECT_EQ(target_.rekeyed, "");
  EXPECT_FALSE(target_.zeroized_by);
  answer_.reset();
  ask(R"({"method":"status"})");
  EXPECT_TRUE(target_.waiting);
}

TEST_F(AdminMethods, what_is_no_request_is_refused_in_a_sentence) {
  for (const char* line : {"", "{", "[]", "null", "7", "\"status\"", "{}", "\xff", "{\"method\":1}",
                           R"({"method":"fly"})", R"({"method":"rekey","peer":{}})"}) {
    const json answer = answer_to(line);
    EXPECT_EQ(answer.at("ok"), false) << line;
    EXPECT_FALSE(answer.at("error").get<std::string>().empty()) << line;
  }
}

}  // namespace
}  // namespace penstock::controlplane
