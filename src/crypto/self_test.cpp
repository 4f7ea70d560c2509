#include "self_test.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "penstock/base/bytes.hpp"
#include "work.hpp"

namespace penstock {
namespace {

// The full tag of one frame: 256 bytes, SPI 0x01020304, sequence 0x1122334455667788, plaintext
// byte i = 7 i + 3, key bytes 0, 1, 2 ..., MAC key bytes 64, 65 ... The tag stands for the
// ciphertext too, which is under it. Computed by another implementation (Python's cryptography).
struct KnownAnswer {
  Protection protection{};
  std::string_view tag;
};
constexpr std::array known_answers{
    KnownAnswer{Protection::aes256_ctr_sha256,
                "3a59e9e326b7138b4fad01b33d2a9f3c058ba2c9149a68cb1b3afe61b4f099aa"},
    KnownAnswer{Protection::aes128_ctr_sha256,
                "2c3c2539bacdb45f6ee9aec7adf4afef0017e1387141aef1ded76f644d731339"},
    KnownAnswer{Protection::aes256_ctr_sha384,
                "473be91717bb3c8468a96b1afa1eac6ff68e05afefd1d3a1f572125e260acc7d"
                "a83e609a88288ef935c4128732187966"},
    KnownAnswer{Protection::aes256_gcm, "0eaef5004d5123254543040fa7a4679c"},
    KnownAnswer{Protection::chacha20_poly1305, "f7b5cce1611ab42beb4923ceffb93c01"},
};

constexpr std::size_t frame_size = 256;
constexpr std::array<std::size_t, 6> beyond_a_group{17, 24, 31, 32, 33, 64};
using Frame = std::array<std::byte, frame_size>;

template <class Key>
Key counting_key(unsigned first) {
  Key key;
  for (std::byte& byte : key.fill()) byte = static_cast<std::byte>(first++);
  return key;
}

Frame clear_frame(std::size_t tag) {
  Frame frame{};
  write_frame_header(std::span{frame}.first<frame_layout::header>(),
                     {.spi = {0x01020304}, .sequence = {0x1122334455667788}});
  for (std::size_t i = frame_layout::header; i < frame_size - tag; ++i)
    frame[i] = static_cast<std::byte>((i - frame_layout::header) * 7 + 3);
  return frame;
}

class Examination {
 public:
  Examination(Protections& code, const KnownAnswer& answer)
      : code_(code),
        answer_(answer),
        shape_{.size = frame_size, .tag = traits(answer.protection).max_tag},
        clear_(clear_frame(shape_.tag)),
        keys_(code.keys_size(answer.protection)) {
    code_.expand(answer.protection, counting_key<EncryptKey>(0), counting_key<MacKey>(64),
                 keys_.fill().data());
  }

  // Seals `count` copies of the frame, opens them, and opens them again with one that is forged.
  bool passes(std::size_t count) {
    frames_.assign(count, clear_);
    works_.clear();
    for (Frame& frame : frames_)
      works_.push_back({.keys = keys_.reveal().data(),
                        .frame = frame.data(),
                        .size = shape_.size,
                        .tag_size = shape_.tag,
                        .index = 0,
                        .protection = answer_.protection});
    code_.seal(answer_.protection, works_);
    const auto has_known_tag = [this](const Frame& frame) {
      return to_hex(Bytes{frame}.last(shape_.tag)) == answer_.tag;
    };
    if (!std::ranges::all_of(frames_, has_known_tag)) return false;
    const std::vector<Frame> sealed = frames_;
    const OpenedMask all = all_of(works_);
    const bool all_clear =
        code_.open(answer_.protection, works_) == all &&
        std::ranges::all_of(frames_, [this](const Frame& frame) { return is_clear(frame); });
    if (!all_clear) return false;
    std::ranges::copy(sealed, frames_.begin());
    const std::size_t forged = count / 2;
    frames_[forged][frame_size / 2] ^= std::byte{1};
    return code_.open(answer_.protection, works_) == (all & ~(OpenedMask{1} << forged)) &&
           !is_clear(frames_[forged]);
  }

 private:
  [[nodiscard]] bool is_clear(const Frame& frame) const {
    return std::ranges::equal(Bytes{frame}.first(frame_size - shape_.tag),
                              Bytes{clear_}.first(frame_size - shape_.tag));
  }

  Protections& code_;
  const KnownAnswer& answer_;
  FrameShape shape_;
  Frame clear_;
  SecretBuffer keys_;
  std::vector<Frame> frames_;
  std::vector<Work> works_;
};

bool passes_all(Protections& code, const KnownAnswer& answer) {
  Examination examination{code, answer};
  for (std::size_t count = 1; count <= HashPlan::most_lanes; ++count)
    if (!examination.passes(count)) return false;
  return std::ranges::all_of(beyond_a_group,
                             [&](std::size_t count) { return examination.passes(count); });
}

}  // namespace

Result<void> self_test(Protections& code) {
  for (const KnownAnswer& answer : known_answers) {
    if (!passes_all(code, answer))
      return fail(ErrorKind::system,
                  fmt::format("the self-test of {} failed: this machine computes wrong results, or "
                              "the installed libipsec-mb or libcrypto is damaged; trust neither",
                              to_string(answer.protection)));
  }
  return {};
}

}  // namespace penstock
