#include "controlplane/handshake/link_keys.hpp"

#include <utility>

namespace penstock::controlplane {

LinkKeys derive_link_keys(const crypto::FileKey& file_key, std::string_view initiator,
                          std::string_view responder) {
  crypto::LinkKey link_key = crypto::derive_link_key(file_key, initiator, responder);
  const crypto::KeyId key_id = crypto::derive_key_id(link_key);
  crypto::HandshakeMac k1 = crypto::derive_message_mac(link_key, 1);
  crypto::HandshakeMac k2 = crypto::derive_message_mac(link_key, 2);
  return {
      .link_key = std::move(link_key), .key_id = key_id, .k1 = std::move(k1), .k2 = std::move(k2)};
}

}  // namespace penstock::controlplane
