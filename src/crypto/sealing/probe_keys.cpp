#include "penstock/crypto/probe_keys.hpp"

#include <new>
#include <utility>

#include "penstock/base/check.hpp"
#include "penstock/base/limits.hpp"
#include "slow_frames.hpp"
#include "work.hpp"

namespace penstock {
namespace {

Work work_on(const std::byte* keys, MutableBytes packet, std::uint8_t tag, Protection protection) {
  check(packet.size() >= limits::min_frame_size && packet.size() <= limits::max_frame_size,
        "a probe has a size that a frame may have");
  return {.keys = keys,
          .frame = packet.data(),
          .size = static_cast<std::uint16_t>(packet.size()),
          .tag_size = tag,
          .index = 0,
          .protection = protection};
}

// As for frames of the largest size: probes have many.
limits::SaLimits limits_of(Protection protection) {
  return limits::sa_limits(protection, limits::max_frame_size);
}

}  // namespace

ProbeKeys::ProbeKeys(Protection protection, std::uint8_t tag, const EncryptKey& encrypt,
                     const MacKey& mac)
    : protection_(protection), tag_(tag) {
  static_assert(sizeof(SlowFrames::Keys) <= sizeof(Room));
  check(tag == fit_tag(protection, tag), "a tag of the protection");
  SlowFrames::expand(protection, encrypt, mac, *::new (room_->data()) SlowFrames::Keys{});
}

void ProbeKeys::seal_in_place(MutableBytes packet) const {
  if (protection_ == Protection::none) return;
  const Work work = work_on(room_->data(), packet, tag_, protection_);
  SlowFrames::seal({&work, 1});
}

bool ProbeKeys::open_in_place(MutableBytes packet) const {
  if (protection_ == Protection::none) return true;
  const Work work = work_on(room_->data(), packet, tag_, protection_);
  return SlowFrames::open({&work, 1}) != 0;
}

ProbeSealer::ProbeSealer(ProbeKeys keys, Spi spi)
    : ProbeKeys(std::move(keys)), spi_(spi), hard_limit_(limits_of(protection()).hard_frames) {}

bool ProbeSealer::seal(MutableBytes packet) {
  if (next_ >= hard_limit_) {
    wipe(packet);
    return false;
  }
  write_frame_header(packet.first<frame_layout::header>(), {.spi = spi_, .sequence = {next_++}},
                     PacketType::path_probe);
  seal_in_place(packet);
  return true;
}

ProbeOpener::ProbeOpener(ProbeKeys keys)
    : ProbeKeys(std::move(keys)), max_failed_opens_(limits_of(protection()).max_failed_opens) {}

Bytes ProbeOpener::open(MutableBytes packet) {
  if (failed_opens_ >= max_failed_opens_) return {};
  if (open_in_place(packet)) return text(packet);
  ++failed_opens_;
  return {};
}

}  // namespace penstock
