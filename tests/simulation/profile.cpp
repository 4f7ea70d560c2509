#include "profile.hpp"

#include "penstock/base/limits.hpp"

namespace penstock::simulation {

SiteProfile make_profile(int index, IpVersion version) {
  const bool is_v4 = version == IpVersion::v4;
  const auto address = [&](int last) {
    return Endpoint{
        .address = *parse_ip((is_v4 ? "192.0.2." : "2001:db8::") + std::to_string(last)),
        .port = limits::default_port};
  };
  SiteProfile profile{.index = index,
                      .name = index == 0 ? "alpha" : "beta",
                      .mac = {{std::byte{2}, {}, {}, {}, {}, static_cast<std::byte>(index + 1)}},
                      .address = address(index + 1),
                      .network = *parse_prefix(is_v4 ? "192.0.2.0/24" : "2001:db8::/64"),
                      .link = {},
                      .key = "a key file of at least 32 bytes, shared"};
  profile.link.peer = index == 0 ? "beta" : "alpha";
  profile.link.endpoint = address(2 - index);
  return profile;
}

}  // namespace penstock::simulation
