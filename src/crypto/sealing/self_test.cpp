#include "self_test.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "penstock/base/bytes.hpp"
#include "penstock/crypto/primitives.hpp"
#include "work.hpp"

namespace penstock {
namespace {

// The SHA-256 of 64 sealed frames, one behind the other, as another implementation seals them
// (Python's cryptography). What they hold stands in clear_frame below.
struct KnownAnswer {
  Protection protection{};
  std::string_view digest;
};
constexpr std::array known_answers{
    KnownAnswer{Protection::aes256_ctr_sha256,
                "64f1e5b96f71894f7a47f71ec32260a437b9def23e84500852ffb9c216419fce"},
    KnownAnswer{Protection::aes128_ctr_sha256,
                "db94ee99bbf7d19aba246e7a9177ea1043d13e30c9068b595c6d6a39b34f9d5b"},
    KnownAnswer{Protection::aes256_ctr_sha384,
                "c33cd9f39703deff23d6f672bacec6266cb03886cb8c5900a5fbd06f1eb2110c"},
    KnownAnswer{Protection::aes256_gcm,
                "77e93c682cfd9e5468c11deef58c2d1181904579e8506a2434c6538953159b46"},
    KnownAnswer{Protection::chacha20_poly1305,
                "65e46aebe2f5435b10f52e67b1cc65ee3043da9882acedf8c3a9312013094d51"},
};

constexpr std::size_t frame_count = 64;
static_assert(HashPlan::most_lanes == 16, "telling_batches has them all");

using Frame = std::vector<std::byte>;
using Frames = std::vector<Frame>;

template <class Number>
std::byte low_byte(Number number) {
  return static_cast<std::byte>(number & 0xff);
}

// Small ones, common ones, and one of the largest in 16.
std::uint16_t size_of(std::size_t frame) {
  if (frame % 16 == 5) return 9000;
  return frame % 3 == 0 ? 256 : 1472;
}
std::size_t sa_of(std::size_t frame) { return frame % 2; }
std::uint8_t tag_of(Protection protection, std::size_t sa) {
  return sa == 0 ? traits(protection).max_tag : fit_tag(protection, 12);
}

Frame clear_frame(std::size_t index, std::size_t tag) {
  constexpr std::uint64_t step = 0x0123456789abcdef;
  constexpr std::uint64_t under_any_limit = (std::uint64_t{1} << 62) - 1;
  Frame frame(size_of(index));
  write_frame_header(std::span{frame}.first<frame_layout::header>(),
                     {.spi = {0x01020304}, .sequence = {(index + 1) * step & under_any_limit}});
  for (std::size_t i = 0; i < frame.size() - frame_layout::header - tag; ++i)
    frame[frame_layout::header + i] = low_byte(7 * i + 31 * index + 3);
  return frame;
}

template <class Key>
Key counting_key(std::size_t first) {
  Key key;
  for (std::byte& byte : key.fill()) byte = low_byte(first++);
  return key;
}

class Examination {
 public:
  Examination(Protections& code, Protection protection)
      : code_(code),
        protection_(protection),
        keys_{SecretBuffer{code.keys_size(protection)}, SecretBuffer{code.keys_size(protection)}} {
    for (std::size_t sa = 0; sa < keys_.size(); ++sa)
      code_.expand(protection, counting_key<EncryptKey>(128 * sa),
                   counting_key<MacKey>(64 + 128 * sa), keys_[sa].fill().data());
    for (std::size_t i = 0; i < frame_count; ++i)
      clear_.push_back(clear_frame(i, tag_of(protection, sa_of(i))));
  }

  // Every frame alone; remembers the result.
  bool seals_as_known(std::string_view digest) {
    sealed_ = clear_;
    Frame all;
    for (std::size_t i = 0; i < frame_count; ++i) {
      const Work alone = work_on(sealed_[i], i);
      code_.seal(protection_, Batch{&alone, 1});
      all.insert(all.end(), sealed_[i].begin(), sealed_[i].end());
    }
    return to_hex(crypto::sha256({all})) == digest;
  }

  // The first `count` frames in one batch: the same bytes, and back.
  bool agrees_on_a_batch(std::size_t count) {
    take(clear_, count);
    code_.seal(protection_, works_);
    if (!std::equal(frames_.begin(), frames_.end(), sealed_.begin())) return false;
    const OpenedMask opened = code_.open(protection_, works_);
    return opened == all_of(works_) &&
           std::ranges::all_of(works_, [this](const Work& work) { return holds(work, clear_); });
  }

  // A wrong tag in the middle and a wrong header at the end are found, and nothing of theirs is
  // decrypted; the others are opened.
  bool refuses_forgeries(std::size_t count) {
    take(sealed_, count);
    const std::size_t in_tag = count / 2;
    const std::size_t in_header = count - 1;
    frames_[in_tag].back() ^= std::byte{1};
    frames_[in_header][frame_layout::spi] ^= std::byte{1};
    const OpenedMask forged = OpenedMask{1} << in_tag | OpenedMask{1} << in_header;
    const OpenedMask opened = code_.open(protection_, works_);
    return opened == (all_of(works_) & ~forged) &&
           std::ranges::all_of(works_, [&](const Work& work) {
             return (forged >> work.index & 1) != 0 ? is_nothing(work) : holds(work, clear_);
           });
  }

 private:
  Work work_on(Frame& frame, std::size_t index) const {
    const std::size_t sa = sa_of(index);
    return {.keys = keys_[sa].reveal().data(),
            .frame = frame.data(),
            .size = static_cast<std::uint16_t>(frame.size()),
            .tag_size = tag_of(protection_, sa),
            .index = static_cast<std::uint8_t>(index),
            .protection = protection_};
  }
  void take(const Frames& from, std::size_t count) {
    frames_.assign(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count));
    works_.clear();
    for (std::size_t i = 0; i < count; ++i) works_.push_back(work_on(frames_[i], i));
  }
  static Bytes text_in(const Work& work) { return {work.text(), work.text_size()}; }
  [[nodiscard]] bool holds(const Work& work, const Frames& as) const {
    return std::ranges::equal(
        text_in(work), Bytes{as[work.index]}.subspan(frame_layout::header, work.text_size()));
  }
  // What a refused frame is left with: its ciphertext, or zeros.
  [[nodiscard]] bool is_nothing(const Work& work) const {
    return is_aead(protection_)
               ? std::ranges::all_of(text_in(work), [](std::byte b) { return b == std::byte{}; })
               : holds(work, sealed_);
  }

  Protections& code_;
  Protection protection_;
  std::array<SecretBuffer, 2> keys_;
  Frames clear_;
  Frames sealed_;
  Frames frames_;
  std::vector<Work> works_;
};

bool passes(Protections& code, const KnownAnswer& answer) {
  Examination examination{code, answer.protection};
  const auto is_right = [&](std::size_t count) {
    return examination.agrees_on_a_batch(count) && examination.refuses_forgeries(count);
  };
  return examination.seals_as_known(answer.digest) &&
         std::ranges::all_of(telling_batches, is_right);
}

}  // namespace

Result<void> self_test(Protections& code) {
  for (const KnownAnswer& answer : known_answers) {
    if (!passes(code, answer))
      return fail(ErrorKind::system,
                  fmt::format("the self-test of {} failed: this machine computes wrong results, or "
                              "the installed libipsec-mb or libcrypto is damaged; trust neither",
                              to_string(answer.protection)));
  }
  return {};
}

}  // namespace penstock
