// Why a handshake message was dropped. The names are docs/protocol.md's checks, in the
// order in which they happen.
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::controlplane {

enum class Verdict : std::uint8_t {
  bad_length,         // not limits::handshake_message bytes
  bad_type,           // not the message that is due
  bad_version,        // a format version we do not speak
  bad_header,         // bytes 2 and 3 not zero
  unknown_key,        // its key id is not this link's
  not_ours,           // a message 2 or 4 for no attempt of ours
  bad_cookie,         // not made by this process for this sender and these fields
  stale_cookie,       // older than limits::cookie_life
  altered_repeat,     // a message 3 that differs from the accepted one with its nonce
  repeat_unanswered,  // an identical message 3, and message 4 not ready, or sent often enough
  bad_mac,            // of message 1 or 2
  bad_proof,          // h_R: no key, or not the messages that we saw
  downgrade,          // h_I, of one who has our message 2: the far side saw another offer or choice
  bad_fields,         // authentic, but a field holds what none may
  bad_seal,           // sealed_I or sealed_R does not open
  bad_suite,          // one that we did not offer, or do not know
  bad_identity,       // none, another, or an unexpected one, or its signature does not hold
  bad_public_value,   // the key exchange refuses y
  too_many,           // the cache of accepted nonces is full, or signatures come too fast
};

[[nodiscard]] std::string_view to_string(Verdict verdict);

}  // namespace penstock::controlplane
