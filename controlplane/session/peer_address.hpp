// Where a link looks for its far side in the clear: at the config's address, or at the one that
// its name has when an attempt starts. Or nowhere: then the far side comes to us.
#pragma once

#include <optional>
#include <string>

#include "penstock/base/address.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/config/site_config.hpp"

namespace penstock::controlplane {

class PeerAddress {
 public:
  explicit PeerAddress(const LinkConfig& config);

  // The config has an address or a name.
  [[nodiscard]] bool is_said() const { return endpoint_.port != 0; }
  [[nodiscard]] const std::string& name() const { return name_; }
  // Empty: not said, or not found yet.
  [[nodiscard]] std::optional<Endpoint> endpoint() const;
  // "192.0.2.1:7670", "beta.example (192.0.2.1:7670)", "beta.example"; empty: not said.
  [[nodiscard]] std::string describe() const;

  // When an attempt that is due at `wanted` may start, or its step be asked for.
  [[nodiscard]] Time next(Time wanted) const;
  enum class Step : std::uint8_t {
    go,    // endpoint() is good
    ask,   // have the name looked up now; then resolved()
    wait,  // until next()
  };
  // What to do for an attempt that is due. A name is asked for at most every
  // limits::resolve_again, and an answer is waited for as long.
  [[nodiscard]] Step step(Time now);
  // What the name has; empty: nothing now. True when endpoint() is another one since.
  bool resolved(const std::optional<IpAddress>& address);

 private:
  Endpoint endpoint_;  // of a name: its port, and the IP version that the wire has
  std::string name_;
  bool is_known_;
  bool is_asked_ = false;  // an answer is due
  std::optional<Time> asked_at_;
};

}  // namespace penstock::controlplane
