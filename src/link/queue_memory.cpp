#include "penstock/link/queue_memory.hpp"

#include <sys/mman.h>

#include "penstock/base/check.hpp"

namespace penstock {

QueueMemory::QueueMemory(std::size_t size) {
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  check(at != MAP_FAILED, "there are addresses for the queues of a link");
  bytes_ = {static_cast<std::byte*>(at), size};
  (void)::madvise(at, size, MADV_DONTDUMP);
  // A huge page for the few packets of a link that is not busy would be 2 MB.
  (void)::madvise(at, size, MADV_NOHUGEPAGE);
  (void)::mlock2(at, size, MLOCK_ONFAULT);
}

QueueMemory::~QueueMemory() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace penstock
