// The long-term keys of a link for one direction of initiating: derived once from K and
// the two names (docs/protocol.md section 2).
#pragma once

#include <string_view>

#include "penstock/crypto/key_schedule.hpp"

namespace penstock::controlplane {

struct LinkKeys {
  crypto::LinkKey link_key;  // P
  crypto::KeyId key_id;
  crypto::HandshakeMac k1;
  crypto::HandshakeMac k2;
};

[[nodiscard]] LinkKeys derive_link_keys(const crypto::FileKey& file_key, std::string_view initiator,
                                        std::string_view responder);

}  // namespace penstock::controlplane
