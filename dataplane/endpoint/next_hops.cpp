#include "dataplane/endpoint/next_hops.hpp"

#include <algorithm>

namespace penstock::dataplane::endpoint {
namespace {

// A hop that nobody pinned and nobody needed for so long is asked for no more.
constexpr Time forgotten_after = std::chrono::seconds{60};

}  // namespace

std::optional<IpAddress> NextHops::towards(const IpAddress& destination) const {
  if (destination.version != on_link_.address.version) return std::nullopt;
  return on_link_.contains(destination) ? destination : gateway_;
}

NextHops::Hop* NextHops::lookup(const IpAddress& address) {
  const auto at = std::ranges::find(hops_, address, &Hop::address);
  return at == hops_.end() ? nullptr : &*at;
}

NextHops::Hop& NextHops::lookup_or_add(const IpAddress& address, Time now) {
  if (Hop* known = lookup(address)) return *known;
  if (std::ranges::count(hops_, 0U, &Hop::pins) >= std::ptrdiff_t{capacity}) {
    hops_.erase(std::ranges::min_element(
        hops_, {}, [](const Hop& hop) { return hop.pins > 0 ? Time::max() : hop.used_at; }));
  }
  return hops_.emplace_back(Hop{.address = address, .ask_at = now, .ask_wait = ask_again});
}

std::optional<MacAddress> NextHops::find(const IpAddress& hop, Time now) {
  Hop& found = lookup_or_add(hop, now);
  found.used_at = now;
  return found.mac;
}

std::optional<MacAddress> NextHops::pin(const IpAddress& hop, Time now) {
  Hop& found = lookup_or_add(hop, now);
  found.used_at = now;
  ++found.pins;
  return found.mac;
}

void NextHops::unpin(const IpAddress& hop) {
  Hop* known = lookup(hop);
  if (known != nullptr && known->pins > 0) --known->pins;
}

bool NextHops::learn(const IpAddress& hop, const MacAddress& mac, Time now) {
  Hop* known = lookup(hop);
  if (known == nullptr) return false;
  known->ask_at = now + refresh;
  known->ask_wait = ask_again;
  const bool is_news = known->mac != mac;
  known->mac = mac;
  return is_news;
}

void NextHops::unlearn(const IpAddress& hop, Time now) {
  Hop* known = lookup(hop);
  if (known == nullptr) return;
  known->mac.reset();
  known->ask_at = now + known->ask_wait;
}

std::vector<IpAddress> NextHops::take_questions(Time now) {
  std::erase_if(hops_, [now](const Hop& hop) {
    return hop.pins == 0 && now >= hop.used_at + forgotten_after;
  });
  std::vector<IpAddress> questions;
  for (Hop& hop : hops_) {
    if (questions.size() == questions_at_once) break;
    if (now < hop.ask_at) continue;
    questions.push_back(hop.address);
    hop.ask_at = now + hop.ask_wait;
    hop.ask_wait = std::min(2 * hop.ask_wait, ask_slowly);
  }
  return questions;
}

Time NextHops::deadline() const {
  Time deadline = Time::max();
  for (const Hop& hop : hops_) deadline = std::min(deadline, hop.ask_at);
  return deadline;
}

}  // namespace penstock::dataplane::endpoint
