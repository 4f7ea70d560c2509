#include "controlplane/handshake/refusal.hpp"

namespace penstock::controlplane {

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::none:
      return "no reason given";
    case Refusal::suite:
      return "no common suite; compare `suites` on both sides";
    case Refusal::version:
      return "no common protocol version; update the older side";
    case Refusal::tag:
      return "the tag is too short; compare `tag` and `min_tag` on both sides";
    case Refusal::parameters:
      return "a parameter is out of range; compare the versions of both sides";
    case Refusal::shaping:
      return "the shaping differs; write the same mode in `shape` on both sides";
    case Refusal::identity:
      return "the identities do not fit; compare identity_file and peer_identity of both sides, "
             "and see what the far side says";
  }
  return "a reason this version does not know; update the older side";
}

}  // namespace penstock::controlplane
