#include "penstock/crypto/frame_engine.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "penstock/base/check.hpp"
#include "protections.hpp"
#include "self_test.hpp"
#include "work.hpp"

namespace penstock {
namespace {

using Works = std::array<Work, FrameEngine::max_batch>;

// Calls `each` with the frames of one protection after the other.
template <class Each>
void for_each_protection(std::span<const Work> works, Each each) {
  if (works.empty()) return;
  const Protection first = works.front().protection;
  const auto is_first = [first](const Work& work) { return work.protection == first; };
  if (std::ranges::all_of(works, is_first)) [[likely]]
    return each(first, works);
  for (const ProtectionTraits& row : protections) {
    Works alike;
    std::size_t count = 0;
    for (const Work& work : works)
      if (work.protection == row.protection) alike[count++] = work;
    if (count != 0) each(row.protection, Batch{alike}.first(count));
  }
}

}  // namespace

struct FrameEngine::State {
  Protections protections;
};

FrameEngine::FrameEngine(std::unique_ptr<State> state) : state_(std::move(state)) {}
FrameEngine::FrameEngine(FrameEngine&&) noexcept = default;
FrameEngine& FrameEngine::operator=(FrameEngine&&) noexcept = default;
FrameEngine::~FrameEngine() = default;

Result<FrameEngine> FrameEngine::create(const EnginePlan& plan) {
  check(!plan.choices().is_for_pipes, "a plan that measured every protection");
  auto made = Protections::create(plan.choices());
  if (!made) return std::unexpected{made.error()};
  if (auto passed = self_test(*made); !passed) return std::unexpected{passed.error()};
  return FrameEngine{std::make_unique<State>(std::move(*made))};
}

ExpandedKeys FrameEngine::expand(Protection protection, FrameShape shape, const EncryptKey& encrypt,
                                 const MacKey& mac) const {
  check(shape.size >= limits::min_frame_size && shape.size <= limits::max_frame_size &&
            fit_tag(protection, shape.tag) == shape.tag,
        "the shape of a frame must be within the limits");
  ExpandedKeys keys{protection, shape, state_->protections.keys_size(protection)};
  state_->protections.expand(protection, encrypt, mac, keys.memory_);
  return keys;
}

void FrameEngine::seal(std::span<SealJob> jobs) noexcept {
  check(jobs.size() <= max_batch, "too many frames in a batch");
  Works works;
  std::size_t count = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    SealJob& job = jobs[i];
    job.is_sealed = job.keys->number(job.frame);
    if (job.is_sealed) [[likely]]
      works[count++] = Work::of(job.keys->keys_, job.frame, i);
  }
  for_each_protection(Batch{works}.first(count), [this](Protection protection, Batch batch) {
    state_->protections.seal(protection, batch);
  });
}

void FrameEngine::open(std::span<OpenJob> jobs) noexcept {
  check(jobs.size() <= max_batch, "too many frames in a batch");
  Works works;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].plaintext = {};
    works[i] = Work::of(*jobs[i].keys, jobs[i].frame, i);
  }
  for_each_protection(Batch{works}.first(jobs.size()), [&](Protection protection, Batch batch) {
    const OpenedMask opened = state_->protections.open(protection, batch);
    for (std::size_t i = 0; i < batch.size(); ++i)
      if ((opened >> i & 1) != 0)
        jobs[batch[i].index].plaintext = {batch[i].text(), batch[i].text_size()};
  });
}

}  // namespace penstock
