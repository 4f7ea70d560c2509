#include "responder_work.hpp"

#include <memory>
#include <utility>
#include <variant>

#include "bench/common/turns.hpp"
#include "penstock/base/check.hpp"

#include "controlplane/handshake/initiator.hpp"
#include "controlplane/handshake/responder.hpp"

namespace penstock::bench {
namespace {

using namespace std::chrono_literals;
using namespace penstock::controlplane;

constexpr std::size_t invalid_a_pass = 1000;

LinkKeys keys_of(std::string_view key_file) {
  return derive_link_keys(crypto::derive_file_key(as_bytes(key_file)), "alpha", "beta");
}

Parameters parameters_of(std::uint32_t slot) {
  return {.spi_base = Spi::make(1, slot, 0), .frame_size = 1472};
}

class Site {
 public:
  explicit Site(KeyExchange kind) : suite_{kind, Protection::aes256_ctr_sha256} {}

  [[nodiscard]] Initiator new_initiator() {
    return Initiator{keys_, {suite_}, parameters_of(1), entropy_, now_};
  }
  void take_message_2(Initiator& initiator, const Message& message_2) {
    check(initiator.on_message(message_2, entropy_, now_).has_value(), "message 2 is good");
  }
  [[nodiscard]] std::expected<Message, Verdict> answer_1(Bytes message_1) {
    return responder_.on_message_1(from_, message_1, entropy_, now_);
  }
  [[nodiscard]] Message answer_3(const Initiator& initiator) {
    const auto result = responder_.on_message_3(from_, initiator.outgoing(), now_);
    check(result && std::holds_alternative<ProvenMessage3>(*result), "message 3 is good");
    const auto answer =
        responder_.answer(std::get<ProvenMessage3>(*result), parameters_of(2), entropy_, now_);
    check(answer && answer->agreement, "message 4 is made");
    responder_.answered(initiator.nonce(), answer->message);
    return answer->message;
  }
  void expect_agreed(Initiator& initiator, const Message& message_4) {
    check(initiator.on_message(message_4, entropy_, now_).has_value() &&
              initiator.state() == Initiator::State::agreed,
          "message 4 is good");
  }
  // So far that nothing of before is remembered.
  void forget() { now_ += 2 * limits::cookie_life; }

 private:
  Suite suite_;
  SystemEntropy entropy_;
  LinkKeys keys_ = keys_of("a key file of at least 32 bytes, shared");
  Responder responder_{keys_, {suite_}, entropy_};
  Endpoint from_{.address = *parse_ip("192.0.2.1"), .port = 7670};
  Time now_ = 1000s;
};

double seconds_a_handshake(Site& site, std::size_t count) {
  site.forget();
  std::vector<Initiator> initiators;
  for (std::size_t i = 0; i < count; ++i) initiators.push_back(site.new_initiator());
  std::vector<Message> answers(count);
  double seconds = seconds_of([&] {
    for (std::size_t i = 0; i < count; ++i)
      answers[i] = site.answer_1(initiators[i].outgoing()).value();
  });
  for (std::size_t i = 0; i < count; ++i) site.take_message_2(initiators[i], answers[i]);
  seconds += seconds_of([&] {
    for (std::size_t i = 0; i < count; ++i) answers[i] = site.answer_3(initiators[i]);
  });
  site.expect_agreed(initiators[0], answers[0]);
  return seconds / static_cast<double>(count);
}

InvalidMessage dropped(std::string name, const std::shared_ptr<Site>& site,
                       std::vector<std::byte> message) {
  check(!site->answer_1(message), "this message is invalid");
  return {.name = std::move(name), .pass = [site, message = std::move(message)] {
            const double seconds = seconds_of([&] {
              for (std::size_t i = 0; i < invalid_a_pass; ++i)
                check(!site->answer_1(message), "this message is invalid");
            });
            return seconds / static_cast<double>(invalid_a_pass);
          }};
}

}  // namespace

std::function<double()> whole_handshakes(KeyExchange kind, std::size_t count) {
  check(count <= Responder::max_remembered, "a responder remembers no more at once");
  return [site = std::make_shared<Site>(kind), count] { return seconds_a_handshake(*site, count); };
}

std::vector<InvalidMessage> invalid_messages() {
  const auto site = std::make_shared<Site>(KeyExchange::x25519);
  const Message good = site->new_initiator().outgoing();
  check(site->answer_1(good).has_value(), "what is spoilt below is good");
  std::vector<std::byte> wrong_mac{good.begin(), good.end()};
  wrong_mac.back() ^= std::byte{1};
  std::vector<std::byte> wrong_key{good.begin(), good.end()};
  wrong_key[4] ^= std::byte{1};
  std::vector<std::byte> wrong_length{good.begin(), good.end() - 1};
  return {dropped("wrong-mac", site, std::move(wrong_mac)),
          dropped("wrong-key-id", site, std::move(wrong_key)),
          dropped("wrong-length", site, std::move(wrong_length))};
}

}  // namespace penstock::bench
