// What a site is, in all its lives.
#pragma once

#include <string>

#include "penstock/base/address.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/config/site_config.hpp"

namespace penstock::simulation {

inline constexpr unsigned most_workers = 4;

struct SiteProfile {
  int index = 0;
  unsigned workers = 1;  // at most most_workers
  std::string name;
  MacAddress mac;
  Endpoint address;
  IpPrefix network;
  LinkConfig link;
  std::string key;  // the key file's bytes
  std::uint16_t max_frame_size = 1472;
};

// Of alpha (0) or beta (1), each configured for the other.
[[nodiscard]] SiteProfile make_profile(int index, IpVersion version);

}  // namespace penstock::simulation
