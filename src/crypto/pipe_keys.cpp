#include "penstock/crypto/pipe_keys.hpp"

#include <algorithm>

#include "penstock/crypto/primitives.hpp"

namespace penstock::crypto {
namespace {

constexpr std::size_t key_size = 32;  // of every key here

PipeDirectionKeys direction_keys(std::span<const std::byte, 2 * key_size> bytes) {
  PipeDirectionKeys keys;
  std::ranges::copy(bytes.first<key_size>(), keys.encrypt.fill().begin());
  std::ranges::copy(bytes.last<key_size>(), keys.mac.fill().begin());
  return keys;
}

}  // namespace

PipeExchangeKeys derive_pipe_exchange_keys(const FileKey& file_key, const Nonce& nonce_client,
                                           const Nonce& nonce_server) {
  SecretBuffer keys{2 * key_size};
  pbkdf2_sha256(file_key.reveal(), {nonce_client, nonce_server}, keys.fill());
  const auto bytes = std::span<const std::byte, 2 * key_size>{keys.reveal()};
  return {.dhmac_client = HandshakeMac{bytes.first<key_size>()},
          .dhmac_server = HandshakeMac{bytes.last<key_size>()}};
}

PipeSessionKeys derive_pipe_session_keys(const FileKey& file_key, const Nonce& nonce_client,
                                         const Nonce& nonce_server,
                                         std::span<const std::byte, pipe_shared_size> shared) {
  SecretBuffer keys{4 * key_size};
  pbkdf2_sha256(file_key.reveal(), {nonce_client, nonce_server, shared}, keys.fill());
  const auto bytes = std::span<const std::byte, 4 * key_size>{keys.reveal()};
  return {.client = direction_keys(bytes.first<2 * key_size>()),
          .server = direction_keys(bytes.last<2 * key_size>())};
}

}  // namespace penstock::crypto
