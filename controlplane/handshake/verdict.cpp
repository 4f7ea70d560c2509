#include "controlplane/handshake/verdict.hpp"

namespace penstock::controlplane {

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::bad_length:
      return "bad_length";
    case Verdict::bad_type:
      return "bad_type";
    case Verdict::bad_version:
      return "bad_version";
    case Verdict::bad_header:
      return "bad_header";
    case Verdict::unknown_key:
      return "unknown_key";
    case Verdict::not_ours:
      return "not_ours";
    case Verdict::bad_cookie:
      return "bad_cookie";
    case Verdict::stale_cookie:
      return "stale_cookie";
    case Verdict::altered_repeat:
      return "altered_repeat";
    case Verdict::repeat_unanswered:
      return "repeat_unanswered";
    case Verdict::bad_mac:
      return "bad_mac";
    case Verdict::bad_proof:
      return "bad_proof";
    case Verdict::downgrade:
      return "downgrade";
    case Verdict::bad_fields:
      return "bad_fields";
    case Verdict::bad_seal:
      return "bad_seal";
    case Verdict::bad_suite:
      return "bad_suite";
    case Verdict::bad_identity:
      return "bad_identity";
    case Verdict::bad_public_value:
      return "bad_public_value";
    case Verdict::too_many:
      return "too_many";
  }
  return "unknown";
}

}  // namespace penstock::controlplane
