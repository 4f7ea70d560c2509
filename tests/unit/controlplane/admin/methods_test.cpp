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
  Result<void> rekey(std::string_view peer) override {
    rekeyed = peer;
    if (peer == "beta") return {};
    return fail(ErrorKind::missing, "there is no such peer");
  }

  std::function<void(SiteStatus)> waiting;
  std::string rekeyed;
};

class AdminMethods : public testing::Test {
 protected:
  void ask(std::string_view line) {
    answer_admin(target_, line, [this](const json& answer) {
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

TEST_F(AdminMethods, rekey_names_its_peer) {
  EXPECT_EQ(answer_to(R"({"method":"rekey","peer":"beta"})"),
            (json{{"ok", true}, {"result", json::object()}}));
  EXPECT_EQ(target_.rekeyed, "beta");
  EXPECT_EQ(answer_to(R"({"method":"rekey","peer":"gamma"})"),
            (json{{"ok", false}, {"error", "there is no such peer"}}));
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
