// Two ends of one link, handshake machinery only, wired by hand.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/controlplane/seeded_entropy.hpp"

#include "controlplane/handshake/initiator.hpp"
#include "controlplane/handshake/responder.hpp"

namespace penstock::controlplane {

using namespace std::chrono_literals;

inline constexpr Suite x25519_suite{KeyExchange::x25519, Protection::aes256_ctr_sha256};
inline constexpr Suite modp_suite{KeyExchange::modp2048, Protection::aes256_ctr_sha256};

inline crypto::FileKey file_key(std::string_view contents) {
  return crypto::derive_file_key(as_bytes(contents));
}

inline Endpoint alpha_address() { return {.address = *parse_ip("192.0.2.1"), .port = 7670}; }

inline Parameters parameters(std::uint32_t slot) {
  return {.flags = Parameters::takes_offload_flag,
          .spi_base = Spi::make(7, slot, 0),
          .frame_size = 1472,
          .lanes = 2};
}

// alpha starts, beta answers.
struct Pair {
  struct Options {
    std::string_view alpha_key = "a key file of at least 32 bytes, shared";
    std::string_view beta_key = "a key file of at least 32 bytes, shared";
    std::vector<Suite> offer{x25519_suite, modp_suite};
    std::vector<Suite> accepts{x25519_suite, modp_suite};
    Parameters alpha = parameters(1);
    Parameters beta = parameters(2);
    std::uint64_t beta_seed = 2;
    const Identity* alpha_identity = nullptr;
    const Identity* beta_identity = nullptr;
  };

  Pair() : Pair(Options{}) {}
  explicit Pair(Options options)
      : beta_parameters(options.beta),
        beta_entropy(options.beta_seed),
        alpha_keys(derive_link_keys(file_key(options.alpha_key), "alpha", "beta")),
        beta_keys(derive_link_keys(file_key(options.beta_key), "alpha", "beta")),
        initiator(alpha_keys, std::move(options.offer), options.alpha, alpha_entropy, now,
                  options.alpha_identity),
        responder(beta_keys, std::move(options.accepts), beta_entropy, options.beta_identity) {}

  Pair(const Pair&) = delete;

  std::expected<Message, Verdict> message_2_for(const Message& message_1) {
    return responder.on_message_1(alpha_address(), message_1, beta_entropy, now);
  }
  std::expected<void, Verdict> to_alpha(const Message& message) {
    return initiator.on_message(message, alpha_entropy, now);
  }
  std::expected<Responder::Message3Result, Verdict> to_beta_3(const Message& message) {
    return responder.on_message_3(alpha_address(), message, now);
  }
  // Runs messages 1 and 2; the initiator's outgoing() is then message 3.
  Message reach_message_3() {
    const Message message_2 = message_2_for(initiator.outgoing()).value();
    to_alpha(message_2).value();
    return initiator.outgoing();
  }
  Answer answer_to(const Message& message_3) {
    auto result = to_beta_3(message_3).value();
    return responder.answer(std::get<ProvenMessage3>(result), beta_parameters, beta_entropy, now)
        .value();
  }

  Time now = 1000s;
  Parameters beta_parameters;
  SeededEntropy alpha_entropy{1};
  SeededEntropy beta_entropy;
  LinkKeys alpha_keys;
  LinkKeys beta_keys;
  Initiator initiator;
  Responder responder;
};

}  // namespace penstock::controlplane
