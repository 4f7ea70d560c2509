// Finishes in software what a virtio-net header leaves to do, where that is one checksum.
#pragma once

#include <cstdint>
#include <optional>

#include "penstock/base/bytes.hpp"
#include "penstock/wire/virtio_net.hpp"

namespace penstock::dataplane {

struct FinishedChecksum {
  std::size_t at = 0;  // offset in the packet, two bytes, big-endian
  std::uint16_t value = 0;
};

// The checksum that `packet` still lacks (its field holds the sum of the pseudo header, as
// virtio 1.2 section 5.1.6.2 asks). Empty: the header points outside the packet.
[[nodiscard]] std::optional<FinishedChecksum> finish_checksum(Bytes packet,
                                                              const VirtioNetHeader& offload);

}  // namespace penstock::dataplane
