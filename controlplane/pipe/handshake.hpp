// One pipe's handshake, spiped's: pure, told every byte of the far side, tells every byte to
// send. The steps are those of spiped's design document (docs/protocol.md section "Pipes"):
//
//   both     nonce (32)                       sent at once
//   client   y_C || h_C (288)                 when nonce_S is here
//   server   y_S || h_S (288)                 when y_C holds
//
// Fail closed: after a refusal nothing is sent, nothing wanted, and there are no keys.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "penstock/base/bytes.hpp"
#include "penstock/crypto/pipe_keys.hpp"

#include "controlplane/handshake/entropy.hpp"

namespace penstock::controlplane::pipe {

// The client is who connects: `-e`. The server is who accepts: `-d`.
enum class Role : std::uint8_t { client, server };

struct Secrecy {
  bool is_forward = true;    // off by -f: own x is 0, y is 1
  bool is_required = false;  // by -g: a peer's y of 1 is refused
};

enum class Refusal : std::uint8_t {
  bad_mac,       // h does not hold: another key, or changed on the way
  out_of_range,  // y >= p; or 0 or p - 1, which nobody has by raising 2 to a secret
  not_forward,   // y = 1 where forward secrecy is required
};

class Handshake {
 public:
  // `file_key` and `entropy` outlive the handshake.
  Handshake(Role role, Secrecy secrecy, const crypto::FileKey& file_key, Entropy& entropy);
  Handshake(Handshake&&) noexcept;
  Handshake& operator=(Handshake&&) noexcept;
  ~Handshake();

  // What has to be sent next, before all else; empty where nothing has. Valid until the next
  // call of what follows.
  [[nodiscard]] Bytes output() const;
  void sent(std::size_t bytes);

  // Computes ahead what does not depend on the far side's answer: when nothing has to be sent, and
  // before waiting. Need not be called. A server has it computed by its entropy, which keeps it for
  // whoever shows first that it holds the key.
  void prepare();

  // How many bytes of the far side are needed for the next step: 0 when it is complete or
  // refused. Never more is read than that: what follows are packets.
  [[nodiscard]] std::size_t wanted() const;
  // At most wanted() bytes, in as many pieces as they come in. Computes when a step is whole:
  // with forward secrecy a hundred microseconds, and take_keys() some hundred.
  [[nodiscard]] std::optional<Refusal> feed(Bytes received);

  // Nothing is wanted any more and nothing was refused, until the keys are taken; output may still
  // have to be sent.
  [[nodiscard]] bool is_complete() const;
  // When it is complete; once. Computes what both ends agree on: send the output first, and the
  // far side does so at the same time.
  [[nodiscard]] crypto::PipeSessionKeys take_keys();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace penstock::controlplane::pipe
