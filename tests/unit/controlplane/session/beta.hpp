// beta's controller by hand, with alpha's handshake machinery in the test's hands.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/controlplane/seeded_entropy.hpp"

#include "controlplane/handshake/initiator.hpp"
#include "controlplane/session/link_controller.hpp"
#include "controlplane/session/slot_allocator.hpp"

namespace penstock::controlplane {

using namespace std::chrono_literals;

inline constexpr std::string_view same_key = "a key file of at least 32 bytes, shared";
inline constexpr Suite x25519{KeyExchange::x25519, Protection::aes256_ctr_sha256};
inline constexpr Suite modp2048{KeyExchange::modp2048, Protection::aes256_ctr_sha256};

class Beta : public testing::Test {
 protected:
  static inline const Endpoint alpha{.address = *parse_ip("192.0.2.1"), .port = 7670};

  Beta() : Beta(setup(config())) {}
  explicit Beta(LinkController::Setup setup) : controller(std::move(setup), slots, entropy, now) {
    controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 1472, .lanes = 2}, {}, now);
    (void)controller.take_actions();
  }

  static LinkConfig config() {
    LinkConfig config{.peer = "alpha", .endpoint = alpha, .suites = {x25519}};
    config.frame_size = 1000;
    return config;
  }
  static LinkController::Setup setup(LinkConfig config) {
    return {.site_name = "beta",
            .link_index = 4,
            .config = std::move(config),
            .file_key = crypto::derive_file_key(as_bytes(same_key)),
            .old_file_key = std::nullopt};
  }
  template <class T>
  std::vector<T> take() {
    std::vector<T> found;
    for (Action& action : controller.take_actions())
      if (T* wanted = std::get_if<T>(&action)) found.push_back(std::move(*wanted));
    return found;
  }
  // Messages 1 to 3; the install that beta wants then.
  Install reach_install(const Endpoint& from = alpha) {
    EXPECT_TRUE(controller.on_datagram(from, initiator.outgoing(), now));
    const auto message_2 = take<SendDatagram>();
    EXPECT_TRUE(initiator.on_message(message_2.at(0).bytes, entropy, now));
    EXPECT_TRUE(controller.on_datagram(from, initiator.outgoing(), now));
    auto installs = take<Install>();
    return std::move(installs.at(0));
  }
  // A session that alpha started, up.
  ipc::SessionId reach_current(const Endpoint& from = alpha) {
    const Install install = reach_install(from);
    const ipc::SessionId id = install.message->session_id;
    controller.on_install_reply(install.request, ipc::InstallResult::installed, now);
    controller.on_event(event(ipc::EventKind::session_confirmed, id), now);
    (void)controller.take_actions();
    return id;
  }
  // alpha's message 2 that refuses beta's message 1.
  static Message refusal_of(Bytes message_1) {
    const LinkKeys from_beta =
        derive_link_keys(crypto::derive_file_key(as_bytes(same_key)), "beta", "alpha");
    return write_message_2({.h1 = crypto::sha256({message_1}), .reason = Refusal::suite},
                           from_beta.k2);
  }
  // alpha starts again, from nothing.
  void renew_initiator() {
    initiator = Initiator{
        keys, {x25519}, {.spi_base = Spi::make(2, 2, 0), .frame_size = 1400}, entropy, now};
  }
  static ipc::Event event(ipc::EventKind kind, const ipc::SessionId& id) {
    return {.kind = kind, .session_id = id};
  }

  Time now = 1000s;
  SeededEntropy entropy{5};
  LinkKeys keys = derive_link_keys(crypto::derive_file_key(as_bytes(same_key)), "alpha", "beta");
  Initiator initiator{keys,
                      {x25519},
                      {.spi_base = Spi::make(1, 1, 0), .frame_size = 1400, .lanes = 3},
                      entropy,
                      now};
  SlotAllocator slots{entropy};
  LinkController controller;
};

}  // namespace penstock::controlplane
