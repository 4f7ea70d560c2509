#include "controlplane/pipe/handshake.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "penstock/base/check.hpp"
#include "penstock/crypto/key_exchange.hpp"
#include "penstock/crypto/primitives.hpp"

namespace penstock::controlplane::pipe {
namespace {

constexpr auto group_14 = KeyExchange::modp2048;
constexpr std::size_t nonce_size = sizeof(crypto::Nonce);
constexpr std::size_t value_size = crypto::public_value_size(group_14);
constexpr std::size_t mac_size = crypto::HandshakeMac::size;
constexpr std::size_t proof_size = value_size + mac_size;  // y || h

using Value = std::array<std::byte, value_size>;
constexpr Value one = [] {
  Value value{};
  value.back() = std::byte{1};
  return value;
}();

bool is_one(Bytes y) { return std::ranges::equal(y, one); }  // what travelled in the clear

SecretBuffer secret_one() {
  SecretBuffer value{value_size};
  std::ranges::copy(one, value.fill().begin());
  return value;
}

}  // namespace

struct Handshake::State {
  enum class Step : std::uint8_t { nonce, value, complete, taken, refused };

  Role role;
  Secrecy secrecy;
  const crypto::FileKey& file_key;
  Entropy& entropy;
  Step step = Step::nonce;
  crypto::Nonce own_nonce{};
  crypto::Nonce peer_nonce{};
  std::optional<crypto::PipeExchangeKeys> macs;
  std::optional<crypto::EphemeralKey> own;  // none without forward secrecy: x is 0
  // What is to be sent, and what came of the step that is under way.
  std::array<std::byte, nonce_size + proof_size> out{};
  std::size_t out_begin = 0;
  std::size_t out_end = 0;
  std::array<std::byte, proof_size> in{};
  std::size_t in_end = 0;

  [[nodiscard]] bool is_client() const { return role == Role::client; }
  [[nodiscard]] const crypto::Nonce& nonce_client() const {
    return is_client() ? own_nonce : peer_nonce;
  }
  [[nodiscard]] const crypto::Nonce& nonce_server() const {
    return is_client() ? peer_nonce : own_nonce;
  }
  [[nodiscard]] std::size_t step_size() const;
  void add_output(Bytes bytes);
  [[nodiscard]] std::optional<Refusal> finish_step();
  void on_nonce();
  [[nodiscard]] std::optional<Refusal> on_value();
  [[nodiscard]] crypto::PipeSessionKeys derive();
  void make_own();
  void prepare();
  void send_value();
  [[nodiscard]] std::optional<Refusal> refusal_of(Bytes y, Bytes h) const;
  [[nodiscard]] SecretBuffer agree(Bytes y) const;
  void refuse();
};

std::size_t Handshake::State::step_size() const {
  switch (step) {
    case Step::nonce:
      return nonce_size;
    case Step::value:
      return proof_size;
    case Step::complete:
    case Step::taken:
    case Step::refused:
      break;
  }
  return 0;
}

void Handshake::State::add_output(Bytes bytes) {
  check(bytes.size() <= out.size() - out_end, "a handshake sends a nonce and a public value");
  std::ranges::copy(bytes, out.begin() + static_cast<std::ptrdiff_t>(out_end));
  out_end += bytes.size();
}

std::optional<Refusal> Handshake::State::finish_step() {
  in_end = 0;
  if (step == Step::nonce) {
    on_nonce();
    return std::nullopt;
  }
  const std::optional<Refusal> refusal = on_value();
  if (refusal) refuse();
  return refusal;
}

// C3, S3; C4
void Handshake::State::on_nonce() {
  std::ranges::copy(Bytes{in}.first<nonce_size>(), peer_nonce.begin());
  macs = crypto::derive_pipe_exchange_keys(file_key, nonce_client(), nonce_server());
  if (is_client()) send_value();
  step = Step::value;
}

// S4, S5; C5
std::optional<Refusal> Handshake::State::on_value() {
  const Bytes y = Bytes{in}.first<value_size>();
  if (const auto refusal = refusal_of(y, Bytes{in}.last<mac_size>())) return refusal;
  if (!is_client()) send_value();
  macs.reset();
  step = Step::complete;
  return std::nullopt;
}

// C6, C7; S6, S7. After on_value, so that the two ends compute at the same time: the server's
// value is on its way by then.
crypto::PipeSessionKeys Handshake::State::derive() {
  const SecretBuffer shared = agree(Bytes{in}.first<value_size>());
  own.reset();
  step = Step::taken;
  return crypto::derive_pipe_session_keys(
      file_key, nonce_client(), nonce_server(),
      std::span<const std::byte, crypto::pipe_shared_size>{shared.reveal()});
}

void Handshake::State::make_own() {
  if (secrecy.is_forward && !own) own = entropy.ephemeral_key(group_14);
}

// A server's peer may be anybody: what it has computed for it must not be lost with it.
void Handshake::State::prepare() {
  if (is_client() && step == Step::nonce) make_own();
  if (!is_client() && step_size() > 0 && secrecy.is_forward) entropy.prepare(group_14);
}

void Handshake::State::send_value() {
  make_own();
  const Bytes y = own ? own->public_value() : Bytes{one};
  const crypto::HandshakeMac& key = is_client() ? macs->dhmac_client : macs->dhmac_server;
  std::array<std::byte, mac_size> h;
  crypto::hmac_sha256(key.reveal(), {y}, h);
  add_output(y);
  add_output(h);
}

// The MAC first: who does not hold the key learns nothing else, and costs no exponentiation.
std::optional<Refusal> Handshake::State::refusal_of(Bytes y, Bytes h) const {
  const crypto::HandshakeMac& key = is_client() ? macs->dhmac_server : macs->dhmac_client;
  crypto::HandshakeMac expected;  // that of a forged y would be its proof
  crypto::hmac_sha256(key.reveal(), {y}, expected.fill());
  if (!equal_constant_time(expected.reveal(), h)) return Refusal::bad_mac;
  if (is_one(y)) return secrecy.is_required ? std::optional{Refusal::not_forward} : std::nullopt;
  if (!crypto::is_modp2048_public_value(y)) return Refusal::out_of_range;
  return std::nullopt;
}

// 1 where either side has an x of 0.
SecretBuffer Handshake::State::agree(Bytes y) const {
  if (!own || is_one(y)) return secret_one();
  auto shared = own->agree(y);
  check(shared.has_value(), "a public value that was looked at is agreed with");
  return std::move(*shared);
}

void Handshake::State::refuse() {
  step = Step::refused;
  own.reset();
  macs.reset();
  out_begin = out_end = 0;
}

Handshake::Handshake(Role role, Secrecy secrecy, const crypto::FileKey& file_key, Entropy& entropy)
    : state_(std::make_unique<State>(
          State{.role = role, .secrecy = secrecy, .file_key = file_key, .entropy = entropy})) {
  entropy.fill(state_->own_nonce);
  state_->add_output(state_->own_nonce);
}
Handshake::Handshake(Handshake&&) noexcept = default;
Handshake& Handshake::operator=(Handshake&&) noexcept = default;
Handshake::~Handshake() = default;

Bytes Handshake::output() const {
  return Bytes{state_->out}.subspan(state_->out_begin, state_->out_end - state_->out_begin);
}

void Handshake::sent(std::size_t bytes) {
  check(bytes <= output().size(), "more was sent than there is to send");
  state_->out_begin += bytes;
}

void Handshake::prepare() { state_->prepare(); }

std::size_t Handshake::wanted() const { return state_->step_size() - state_->in_end; }

std::optional<Refusal> Handshake::feed(Bytes received) {
  check(received.size() <= wanted(), "a handshake is given no more than it wants");
  std::ranges::copy(received, state_->in.begin() + static_cast<std::ptrdiff_t>(state_->in_end));
  state_->in_end += received.size();
  if (received.empty() || wanted() != 0) return std::nullopt;
  return state_->finish_step();
}

bool Handshake::is_complete() const { return state_->step == State::Step::complete; }

crypto::PipeSessionKeys Handshake::take_keys() {
  check(is_complete(), "the keys of a complete handshake, once");
  return state_->derive();
}

}  // namespace penstock::controlplane::pipe
