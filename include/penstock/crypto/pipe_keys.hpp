// The key schedule of a pipe, which is spiped's (docs/protocol.md section "Pipes"): the file
// key K itself is used, without the names that links bind to it.
#pragma once

#include <cstddef>
#include <span>

#include "penstock/base/bytes.hpp"
#include "penstock/crypto/key_schedule.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock::crypto {

// dhmac_C || dhmac_S = PBKDF2-SHA256(K, nonce_C || nonce_S, 1)
struct PipeExchangeKeys {
  HandshakeMac dhmac_client;
  HandshakeMac dhmac_server;
};
[[nodiscard]] PipeExchangeKeys derive_pipe_exchange_keys(const FileKey& file_key,
                                                         const Nonce& nonce_client,
                                                         const Nonce& nonce_server);

inline constexpr std::size_t pipe_shared_size = 256;  // of y_SC, leading zeros kept

// E_C || H_C || E_S || H_S = PBKDF2-SHA256(K, nonce_C || nonce_S || y_SC, 1)
struct PipeDirectionKeys {
  EncryptKey encrypt;
  MacKey mac;  // the first 32 bytes
};
struct PipeSessionKeys {
  PipeDirectionKeys client;  // of what the client sends
  PipeDirectionKeys server;
};
[[nodiscard]] PipeSessionKeys derive_pipe_session_keys(
    const FileKey& file_key, const Nonce& nonce_client, const Nonce& nonce_server,
    std::span<const std::byte, pipe_shared_size> shared);

}  // namespace penstock::crypto
