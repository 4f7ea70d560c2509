#include "controlplane/session/peer_address.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace penstock::controlplane {

PeerAddress::PeerAddress(const LinkConfig& config)
    : endpoint_(config.endpoint),
      name_(config.endpoint_name),
      is_known_(is_said() && name_.empty()) {}

std::optional<Endpoint> PeerAddress::endpoint() const {
  return is_known_ ? std::optional{endpoint_} : std::nullopt;
}

std::string PeerAddress::describe() const {
  if (name_.empty()) return is_said() ? to_string(endpoint_) : std::string{};
  return is_known_ ? fmt::format("{} ({})", name_, to_string(endpoint_)) : name_;
}

Time PeerAddress::next(Time wanted) const {
  const bool is_waiting = asked_at_ && (is_asked_ || !is_known_);
  return is_waiting ? std::max(wanted, *asked_at_ + limits::resolve_again) : wanted;
}

PeerAddress::Step PeerAddress::step(Time now) {
  if (name_.empty()) return Step::go;
  const bool asked_lately = asked_at_ && now < *asked_at_ + limits::resolve_again;
  if (asked_lately) return is_asked_ || !is_known_ ? Step::wait : Step::go;
  // No answer: an old address is better than none, once.
  if (std::exchange(is_asked_, false) && is_known_) return Step::go;
  is_asked_ = true;
  asked_at_ = now;
  return Step::ask;
}

bool PeerAddress::resolved(const std::optional<IpAddress>& address) {
  is_asked_ = false;
  if (!address || address->version != endpoint_.address.version) return false;
  const bool is_other = !is_known_ || endpoint_.address != *address;
  endpoint_.address = *address;
  is_known_ = true;
  return is_other;
}

}  // namespace penstock::controlplane
