// Sessions that were made before the config asked for more than they have.
#include <algorithm>
#include <memory>

#include <gtest/gtest.h>

#include "tests/unit/controlplane/session/beta.hpp"

namespace penstock::controlplane {
namespace {

class Outdated : public Beta {
 protected:
  using KeyPointer = std::shared_ptr<const crypto::IdentityKey>;
  static KeyPointer new_key() {
    return std::make_shared<const crypto::IdentityKey>(crypto::IdentityKey::generate());
  }

  bool pin(const KeyPointer& own, const KeyPointer& peer) {
    LinkController::Setup next = setup(config());
    next.config.peer_identity = peer->public_key();
    next.identity = own;
    return controller.reconfigure(std::move(next), now);
  }
  bool take_key(std::string_view key) {
    LinkController::Setup next = setup(config());
    next.file_key = crypto::derive_file_key(as_bytes(key));
    return controller.reconfigure(std::move(next), now);
  }
  // A session with an alpha that has `own` and knows beta as `beta`.
  ipc::SessionId reach_current_as(const KeyPointer& own, const KeyPointer& beta) {
    const Identity identity{own, beta->public_key()};
    initiator = Initiator{keys,    {x25519}, {.spi_base = Spi::make(2, 2, 0), .frame_size = 1400},
                          entropy, now,      &identity};
    return reach_current();
  }
  // Runs the clock; what was removed, and after how long.
  struct Ended {
    ipc::SessionId session_id;
    Time after;
  };
  std::vector<Ended> ended_within(Time duration) {
    std::vector<Ended> ended;
    const Time start = now;
    const auto note = [&] {
      for (const Remove& remove : take<Remove>()) ended.push_back({remove.session_id, now - start});
    };
    note();
    for (auto due = controller.deadline(); due && *due <= start + duration;
         due = controller.deadline()) {
      now = std::max(now, *due);
      controller.on_timer(now);
      note();
    }
    now = start + duration;
    return ended;
  }
  void expect_end_of(const ipc::SessionId& session, Time after, std::string_view before) {
    const std::vector<Ended> ended = ended_within(60s);
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_EQ(ended[0].session_id, session);
    EXPECT_EQ(ended[0].after, after);
    EXPECT_NE(told.find(before), std::string::npos) << told;
  }

  KeyPointer alphas = new_key();
  KeyPointer betas = new_key();
  std::string told;
};

TEST_F(Outdated, ASessionWithoutAnIdentityEndsSoonWhereOneIsWanted) {
  const ipc::SessionId session = reach_current();
  EXPECT_TRUE(pin(betas, alphas));
  (void)controller.take_actions();
  EXPECT_EQ(controller.deadline(), now) << "a rekey is due";
  EXPECT_EQ(controller.status().state, LinkStatus::State::up);
  told = controller.status().reason;
  EXPECT_EQ(told,
            "the session was made before peer_identity was configured, and ends 30 s after that "
            "unless the far side agrees to another");
  expect_end_of(session, limits::outdated_ends_after, "before peer_identity");
  EXPECT_EQ(controller.status().state, LinkStatus::State::connecting);
  EXPECT_FALSE(controller.status().session_id);
}

TEST_F(Outdated, ASessionOfAnotherModeOfShapeEndsSoon) {
  const ipc::SessionId session = reach_current();
  LinkConfig constant = config();
  constant.shape = {.mode = ShapeMode::constant, .rate = Rate{1'000'000}};
  EXPECT_TRUE(controller.reconfigure(setup(constant), now));
  (void)controller.take_actions();
  EXPECT_EQ(controller.deadline(), now) << "a rekey is due";
  told = controller.status().reason;
  EXPECT_EQ(told,
            "the session was made before this mode of shape was configured, and ends 30 s after "
            "that unless the far side agrees to another");
  constant.shape.rate = Rate{2'000'000};
  EXPECT_TRUE(controller.reconfigure(setup(constant), now)) << "of the rate alone";
  (void)controller.take_actions();
  expect_end_of(session, limits::outdated_ends_after, "this mode of shape");
}

TEST_F(Outdated, ItsSuccessorStays) {
  (void)reach_current();
  EXPECT_TRUE(pin(betas, alphas));
  now += 2s;
  const ipc::SessionId next = reach_current_as(alphas, betas);
  EXPECT_EQ(controller.status().reason, "");
  for (const Ended& ended : ended_within(90s)) EXPECT_NE(ended.session_id, next);
  EXPECT_EQ(controller.status().session_id, next);
  EXPECT_EQ(controller.status().state, LinkStatus::State::up);
}

TEST_F(Outdated, AnotherPinEndsTheSessionAtOnce) {
  EXPECT_TRUE(pin(betas, alphas));
  const ipc::SessionId session = reach_current_as(alphas, betas);
  EXPECT_TRUE(pin(betas, new_key()));
  auto actions = controller.take_actions();
  const bool is_removed = std::ranges::any_of(actions, [&](const Action& action) {
    const auto* remove = std::get_if<Remove>(&action);
    return remove != nullptr && remove->session_id == session;
  });
  EXPECT_TRUE(is_removed);
  EXPECT_EQ(controller.status().state, LinkStatus::State::down);
  EXPECT_EQ(controller.status().reason,
            "the session was ended, for it was made before this peer_identity was configured");
  EXPECT_LE(controller.deadline(), now) << "the next one is tried at once";
}

TEST_F(Outdated, AnotherIdentityOfOurOwnEndsTheSessionSoon) {
  EXPECT_TRUE(pin(betas, alphas));
  const ipc::SessionId session = reach_current_as(alphas, betas);
  EXPECT_TRUE(pin(new_key(), alphas));
  (void)controller.take_actions();
  told = controller.status().reason;
  expect_end_of(session, limits::outdated_ends_after, "before this identity_file");
}

TEST_F(Outdated, APinThatIsTakenOutEndsNothing) {
  EXPECT_TRUE(pin(betas, alphas));
  const ipc::SessionId session = reach_current_as(alphas, betas);
  EXPECT_TRUE(controller.reconfigure(setup(config()), now));
  EXPECT_TRUE(ended_within(60s).empty());
  EXPECT_EQ(controller.status().session_id, session);
}

TEST_F(Outdated, AKeyThatIsReplacedTakesItsSessionAlong) {
  const ipc::SessionId session = reach_current();
  EXPECT_TRUE(take_key("another key file of at least 32 bytes"));
  (void)controller.take_actions();
  now += 10s;
  EXPECT_TRUE(take_key("a third key file, of at least 32 bytes"));
  (void)controller.take_actions();
  told = controller.status().reason;
  expect_end_of(session, limits::outdated_ends_after - 10s, "before this key_file");
}

TEST_F(Outdated, AKeyThatComesBackSparesIt) {
  const ipc::SessionId session = reach_current();
  EXPECT_TRUE(take_key("another key file of at least 32 bytes"));
  EXPECT_TRUE(take_key(same_key));
  EXPECT_TRUE(ended_within(60s).empty());
  EXPECT_EQ(controller.status().session_id, session);
}

TEST_F(Outdated, AKeyThatIsKeptAsTheOldOneSparesIt) {
  const ipc::SessionId session = reach_current();
  LinkController::Setup next = setup(config());
  next.config.old_key_file = "old.key";
  next.old_file_key = std::move(next.file_key);
  next.file_key = crypto::derive_file_key(as_bytes("another key file of at least 32 bytes"));
  EXPECT_TRUE(controller.reconfigure(std::move(next), now));
  EXPECT_TRUE(ended_within(60s).empty());
  EXPECT_EQ(controller.status().session_id, session);
  EXPECT_TRUE(take_key("another key file of at least 32 bytes")) << "by hand";
  EXPECT_EQ(ended_within(60s).size(), 1u);
}

// --- another control process's sessions ---------------------------------------------------

class Adopted : public Outdated {
 protected:
  std::vector<Action> come_up(ipc::SessionState state, ShapeMode mode = {}) {
    ipc::SessionInfo info{.state = state, .suite = x25519.code(), .shaping = mode};
    info.session_id = session;
    info.peer = ipc::to_wire(alpha);
    controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 1472, .lanes = 2}, {info}, now);
    return controller.take_actions();
  }
  ipc::SessionId session{std::byte{7}};
};

TEST_F(Adopted, AnUnconfirmedOneIsRemoved) {
  const auto actions = come_up(ipc::SessionState::unconfirmed);
  ASSERT_FALSE(actions.empty());
  EXPECT_EQ(std::get<Remove>(actions[0]).session_id, session);
  EXPECT_LE(controller.deadline(), now);
}

TEST_F(Adopted, ACurrentOneOfAnotherModeEndsSoon) {
  (void)come_up(ipc::SessionState::current, ShapeMode::constant);
  EXPECT_LE(controller.deadline(), now) << "a rekey is due";
  EXPECT_EQ(controller.status().state, LinkStatus::State::up);
  told = controller.status().reason;
  expect_end_of(session, limits::outdated_ends_after, "this mode of shape");
}

TEST_F(Adopted, ACurrentOneIsRekeyedAtOnceWhereIdentitiesAreWanted) {
  (void)come_up(ipc::SessionState::current);
  EXPECT_GT(controller.deadline(), now) << "and not where they are not";
  EXPECT_TRUE(pin(betas, alphas));
  (void)come_up(ipc::SessionState::current);
  EXPECT_LE(controller.deadline(), now);
  EXPECT_TRUE(ended_within(60s).empty()) << "it may be as good as the next one";
}

TEST_F(Adopted, WhatIsConfiguredLaterEndsItAllTheSame) {
  (void)come_up(ipc::SessionState::current);
  EXPECT_TRUE(take_key("another key file of at least 32 bytes"));
  (void)controller.take_actions();
  told = controller.status().reason;
  expect_end_of(session, limits::outdated_ends_after, "before this key_file");
}

}  // namespace
}  // namespace penstock::controlplane
