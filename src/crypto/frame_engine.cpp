#include "penstock/crypto/frame_engine.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <intel-ipsec-mb.h>

#include "ipsec_mb.hpp"
#include "penstock/base/check.hpp"
#include "penstock/base/limits.hpp"
#include "sa_cipher.hpp"

namespace penstock {
namespace {

constexpr std::size_t full_tag = 32;
constexpr std::size_t counter_block = 16;
constexpr std::size_t sha256_block = 64;

// The AVX-512 code hashes 16 frames side by side and takes the same time for one. The SHA
// instructions take two at a time, and win up to this many.
constexpr std::size_t avx512_lanes = 16;
constexpr std::size_t few_frames = 8;

std::uint8_t* library_bytes(std::byte* at) { return reinterpret_cast<std::uint8_t*>(at); }

// Everything a batch needs besides the frames, in secret memory: a full tag is more than what
// travels, and the tag computed for a frame that is refused would be its forgery.
struct Scratch {
  alignas(64) std::array<std::array<std::byte, full_tag>, FrameEngine::max_batch> tags{};
  std::array<std::array<std::byte, counter_block>, FrameEngine::max_batch> counters{};
  std::array<IMB_JOB, FrameEngine::max_batch> cipher_jobs{};
  std::array<IMB_JOB, FrameEngine::max_batch> hash_jobs{};
};

// What is the same for every frame.
void prepare(Scratch& scratch) {
  for (std::size_t i = 0; i < FrameEngine::max_batch; ++i) {
    IMB_JOB& cipher = scratch.cipher_jobs[i];
    cipher.cipher_mode = IMB_CIPHER_CNTR;
    cipher.cipher_direction = IMB_DIR_ENCRYPT;
    cipher.hash_alg = IMB_AUTH_NULL;
    cipher.key_len_in_bytes = IMB_KEY_256_BYTES;
    cipher.iv = library_bytes(scratch.counters[i].data());
    cipher.iv_len_in_bytes = counter_block;

    IMB_JOB& hash = scratch.hash_jobs[i];
    hash.cipher_mode = IMB_CIPHER_NULL;
    hash.hash_alg = IMB_AUTH_HMAC_SHA_256;
    hash.auth_tag_output = library_bytes(scratch.tags[i].data());
    // The library writes 16 or 32 bytes, whatever lies between.
    hash.auth_tag_output_len_in_bytes = full_tag;
  }
}

}  // namespace

struct FrameEngine::State {
  IpsecMbManager manager;
  std::optional<IpsecMbManager> few;  // with SHA instructions, where `manager` has AVX-512
  SecretBox<Scratch> scratch;

  State(IpsecMbManager main, std::optional<IpsecMbManager> for_few)
      : manager(std::move(main)), few(std::move(for_few)) {
    prepare(*scratch);
  }

  void add_cipher_job(std::size_t index, const SaCipher::Expanded& sa, std::byte* frame) {
    // be64 sequence || be64 block counter from 0
    std::memcpy(scratch->counters[index].data(), frame + frame_layout::sequence, 8);
    IMB_JOB& job = scratch->cipher_jobs[index];
    job.enc_keys = sa.round_keys.data();
    job.src = library_bytes(frame + frame_layout::header);
    job.dst = library_bytes(frame + frame_layout::header);
    job.msg_len_to_cipher_in_bytes = sa.shape.plaintext();
  }

  void add_hash_job(std::size_t index, const SaCipher::Expanded& sa, std::byte* frame) {
    IMB_JOB& job = scratch->hash_jobs[index];
    job.src = library_bytes(frame);
    job.msg_len_to_hash_in_bytes = frame_layout::header + sa.shape.plaintext();
    job.u.HMAC._hashed_auth_key_xor_ipad = reinterpret_cast<const std::uint8_t*>(sa.inner.data());
    job.u.HMAC._hashed_auth_key_xor_opad = reinterpret_cast<const std::uint8_t*>(sa.outer.data());
  }

  // The unchecked calls: every job above is well-formed by construction.
  void cipher(std::size_t count) {
    if (count == 0) return;
    const auto jobs = static_cast<std::uint32_t>(count);
    const auto done =
        IMB_SUBMIT_CIPHER_BURST_NOCHECK(manager.get(), scratch->cipher_jobs.data(), jobs,
                                        IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT, IMB_KEY_256_BYTES);
    check(done == jobs, "ipsec-mb left frames unencrypted");
  }

  void hash(std::size_t count) {
    const std::size_t rest = count % avx512_lanes;
    const std::size_t by_few = few && rest <= few_frames ? rest : 0;
    hash_with(manager, 0, count - by_few);
    if (by_few != 0) hash_with(*few, count - by_few, by_few);
  }

  void hash_with(const IpsecMbManager& with, std::size_t first, std::size_t count) {
    if (count == 0) return;
    const auto jobs = static_cast<std::uint32_t>(count);
    const auto done = IMB_SUBMIT_HASH_BURST_NOCHECK(with.get(), &scratch->hash_jobs[first], jobs,
                                                    IMB_AUTH_HMAC_SHA_256);
    check(done == jobs, "ipsec-mb left frames unhashed");
  }

  [[nodiscard]] Bytes tag(std::size_t index, const SaCipher::Expanded& sa) const {
    return Bytes{scratch->tags[index]}.first(sa.shape.tag);
  }
};

namespace {

std::byte* tag_in(std::byte* frame, FrameShape shape) { return frame + shape.size - shape.tag; }

// SHA-256's state after the block key xor pad, as HMAC begins (RFC 2104).
void hmac_state(IMB_MGR* manager, std::span<const std::byte, 32> key, std::byte pad,
                std::span<std::byte, 32> state) {
  SecretBuffer block{sha256_block};
  std::ranges::fill(block.fill(), pad);
  for (std::size_t i = 0; i < key.size(); ++i) block.fill()[i] ^= key[i];
  IMB_SHA256_ONE_BLOCK(manager, block.reveal().data(), state.data());
}

}  // namespace

FrameEngine::FrameEngine(std::unique_ptr<State> state) : state_(std::move(state)) {}
FrameEngine::FrameEngine(FrameEngine&&) noexcept = default;
FrameEngine& FrameEngine::operator=(FrameEngine&&) noexcept = default;
FrameEngine::~FrameEngine() = default;

Result<FrameEngine> FrameEngine::create(Choice choice) {
  using Arch = IpsecMbManager::Arch;
  auto manager = IpsecMbManager::create(choice == Choice::best ? Arch::best : Arch::sse);
  if (!manager) return std::unexpected{manager.error()};
  std::optional<IpsecMbManager> few;
  if (manager->is_avx512() && IpsecMbManager::cpu_has(IMB_FEATURE_SHANI)) {
    auto sse = IpsecMbManager::create(Arch::sse);
    if (!sse) return std::unexpected{sse.error()};
    few = std::move(*sse);
  }
  return FrameEngine{std::make_unique<State>(std::move(*manager), std::move(few))};
}

SaCipher FrameEngine::expand(Protection protection, FrameShape shape, const EncryptKey& encrypt,
                             const MacKey& mac) const {
  check(protection == Protection::aes256_ctr_sha256, "no other protection is implemented");
  check(shape.size >= limits::min_frame_size && shape.size <= limits::max_frame_size &&
            shape.tag >= limits::min_tag && shape.tag <= full_tag,
        "the shape of a frame must be within the limits");
  IMB_MGR* const manager = state_->manager.get();
  auto* const expanded =
      ::new (secret_memory::allocate(sizeof(SaCipher::Expanded))) SaCipher::Expanded{};
  expanded->shape = shape;
  SecretBuffer decrypt_schedule{expanded->round_keys.size()};  // written with the other, not used
  IMB_AES_KEYEXP_256(manager, encrypt.reveal().data(), expanded->round_keys.data(),
                     decrypt_schedule.fill().data());
  const auto mac_key = mac.reveal().first<32>();
  hmac_state(manager, mac_key, std::byte{0x36}, expanded->inner);
  hmac_state(manager, mac_key, std::byte{0x5c}, expanded->outer);
  return SaCipher{expanded};
}

void FrameEngine::seal(std::span<const SealJob> jobs) noexcept {
  check(jobs.size() <= max_batch, "too many frames in a batch");
  for (std::size_t i = 0; i < jobs.size(); ++i)
    state_->add_cipher_job(i, *jobs[i].sa->expanded_, jobs[i].frame);
  state_->cipher(jobs.size());

  for (std::size_t i = 0; i < jobs.size(); ++i)
    state_->add_hash_job(i, *jobs[i].sa->expanded_, jobs[i].frame);
  state_->hash(jobs.size());

  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const SaCipher::Expanded& sa = *jobs[i].sa->expanded_;
    std::ranges::copy(state_->tag(i, sa), tag_in(jobs[i].frame, sa.shape));
  }
}

void FrameEngine::open(std::span<OpenJob> jobs) noexcept {
  check(jobs.size() <= max_batch, "too many frames in a batch");
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].plaintext = {};
    state_->add_hash_job(i, *jobs[i].sa->expanded_, jobs[i].frame);
  }
  state_->hash(jobs.size());

  std::size_t held = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    OpenJob& job = jobs[i];
    const SaCipher::Expanded& sa = *job.sa->expanded_;
    if (!equal_constant_time(state_->tag(i, sa), {tag_in(job.frame, sa.shape), sa.shape.tag}))
      continue;
    state_->add_cipher_job(held++, sa, job.frame);
    job.plaintext = {job.frame + frame_layout::header, sa.shape.plaintext()};
  }
  wipe(std::as_writable_bytes(std::span{state_->scratch->tags}.first(jobs.size())));
  state_->cipher(held);
}

std::string FrameEngine::describe() const {
  const IpsecMbManager& manager = state_->manager;
  return fmt::format("ipsec-mb {} {}{}{}", imb_get_version_str(), manager.arch_name(),
                     IpsecMbManager::cpu_has(IMB_FEATURE_VAES) ? " with VAES" : "",
                     state_->few ? fmt::format(", SHA-NI for up to {} frames", few_frames) : "");
}

}  // namespace penstock
