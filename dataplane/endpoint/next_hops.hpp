// Which MAC address leads to a peer: the peer's own where it is on the wire's network, else the
// gateway's. Asks and asks again; knows neither sockets nor packets.
//
// A MAC address, once learned, is kept until another is heard: an answer that stays away is
// no reason to stop a link, and what is sent to a wrong place is sealed.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "penstock/base/address.hpp"
#include "penstock/base/clock.hpp"

namespace penstock::dataplane::endpoint {

class NextHops {
 public:
  // Of those that nobody pinned: they make room for each other, so that strangers cannot fill the
  // table, and many links leave room for those who are answered.
  static constexpr std::size_t capacity = 64;
  static constexpr std::size_t questions_at_once = 32;  // what mailbox and network take easily
  static constexpr Time ask_again = std::chrono::milliseconds{250};  // unknown, doubling
  static constexpr Time ask_slowly = std::chrono::seconds{2};
  static constexpr Time refresh = std::chrono::seconds{30};  // known

  NextHops(const IpPrefix& on_link, std::optional<IpAddress> gateway)
      : on_link_(on_link), gateway_(gateway) {}

  // Empty: neither on the wire's network nor behind a gateway, or of the other IP version.
  [[nodiscard]] std::optional<IpAddress> towards(const IpAddress& destination) const;
  // The hop's MAC address; where it is not known, asking begins.
  std::optional<MacAddress> find(const IpAddress& hop, Time now);
  // As find, and the hop stays asked for and refreshed until unpin() was called as often.
  std::optional<MacAddress> pin(const IpAddress& hop, Time now);
  void unpin(const IpAddress& hop);
  // True when that changed what a hop in use is known by.
  [[nodiscard]] bool learn(const IpAddress& hop, const MacAddress& mac, Time now);

  // Makes the next answer news again, for one who could not act on it.
  void unlearn(const IpAddress& hop, Time now);

  // Whom to ask now; deadline() has passed still when there are more.
  [[nodiscard]] std::vector<IpAddress> take_questions(Time now);
  // When there is a question next; Time::max() if never.
  [[nodiscard]] Time deadline() const;

 private:
  struct Hop {
    IpAddress address;
    std::optional<MacAddress> mac;
    unsigned pins = 0;
    Time ask_at{};
    Time ask_wait{};
    Time used_at{};
  };
  Hop* lookup(const IpAddress& address);
  Hop& lookup_or_add(const IpAddress& address, Time now);

  IpPrefix on_link_;
  std::optional<IpAddress> gateway_;
  std::vector<Hop> hops_;
};

}  // namespace penstock::dataplane::endpoint
