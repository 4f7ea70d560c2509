#include "ctr_hmac.hpp"

#include <array>
#include <cstring>

namespace penstock {

CtrHmac::CtrHmac(Protection protection, CtrHmacChoice choice, std::span<IMB_MGR* const> managers)
    : bursts_(protection, choice, managers, frame_layout::header) {}

void CtrHmac::add_jobs(Batch batch) noexcept {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Work& work = batch[i];
    bursts_.set(i, {.keys = reinterpret_cast<const CtrHmacKeys*>(work.keys),
                    .at = work.frame,
                    .number = work.frame + frame_layout::sequence,
                    .text = work.text_size(),
                    .hashed = work.under_mac()});
  }
}

// All at once, before the first is needed.
void CtrHmac::fetch_keys(Batch batch) const noexcept {
  const std::byte* last = nullptr;
  for (const Work& work : batch) {
    if (work.keys == last) continue;
    prefetch(work.keys, bursts_.keys_size());
    last = work.keys;
  }
}

void CtrHmac::seal(Batch batch) noexcept {
  fetch_keys(batch);
  add_jobs(batch);
  bursts_.cipher(batch.size());
  bursts_.hash(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::byte* const tag = bursts_.tag(i);
    if (batch[i].tag_size == limits::default_tag) [[likely]]
      std::memcpy(batch[i].tag(), tag, limits::default_tag);  // a load and a store
    else
      std::memcpy(batch[i].tag(), tag, batch[i].tag_size);
  }
}

OpenedMask CtrHmac::open(Batch batch) noexcept {
  fetch_keys(batch);
  add_jobs(batch);
  bursts_.hash(batch.size());
  const OpenedMask opened = verify(batch);
  if (opened == all_of(batch)) [[likely]]
    bursts_.cipher(batch.size());
  else
    decrypt_some(batch, opened);
  return opened;
}

void CtrHmac::decrypt_some(Batch batch, OpenedMask opened) noexcept {
  std::array<Work, max_batch> good;
  std::size_t count = 0;
  for (std::size_t i = 0; i < batch.size(); ++i)
    if ((opened >> i & 1) != 0) good[count++] = batch[i];
  if (count == 0) return;
  add_jobs(Batch{good}.first(count));
  bursts_.cipher(count);
}

OpenedMask CtrHmac::verify(Batch batch) noexcept {
  OpenedMask good = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::size_t size = batch[i].tag_size;
    const bool holds = equal_constant_time({bursts_.tag(i), size}, {batch[i].tag(), size});
    good |= OpenedMask{holds} << i;
    if (!holds) bursts_.wipe_tag(i);
  }
  return good;
}

}  // namespace penstock
