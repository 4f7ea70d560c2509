#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstdint>
#include <mutex>
#include <new>
#include <type_traits>
#include <utility>

#include "penstock/base/check.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock::secret_memory {
namespace {

// Small secrets are blocks of a power of two, cut from chunks that are never given back
// and kept on one free list a size. Larger ones are mappings of their own.
constexpr std::size_t page = 4096;
constexpr std::size_t chunk_size = 16 * page;
constexpr std::size_t smallest_block = 64;
constexpr std::size_t largest_block = page;
constexpr std::size_t block_sizes =
    std::bit_width(largest_block) - std::bit_width(smallest_block) + 1;

constexpr std::size_t block_size(std::size_t size) {
  return size <= smallest_block ? smallest_block : std::bit_ceil(size);
}
constexpr std::size_t list_index(std::size_t block) {
  return static_cast<std::size_t>(std::bit_width(block) - std::bit_width(smallest_block));
}
constexpr std::size_t whole_pages(std::size_t size) { return (size + page - 1) / page * page; }

// Stands in a free block, which is otherwise zero. A forked child finds its lists cut
// short, since the pages it gets are empty, and maps new chunks.
struct FreeBlock {
  FreeBlock* next;
};

class Arena {
 public:
  std::byte* allocate(std::size_t size) {
    const std::scoped_lock lock{mutex_};
    in_use_ += size;
    if (size > largest_block) return map(whole_pages(size));
    const std::size_t block = block_size(size);
    FreeBlock*& first = free_[list_index(block)];
    if (first == nullptr) return cut(block);
    FreeBlock* const taken = first;
    first = taken->next;
    taken->next = nullptr;
    return reinterpret_cast<std::byte*>(taken);
  }

  void release(std::byte* at, std::size_t size) noexcept {
    wipe({at, size});
    const std::scoped_lock lock{mutex_};
    in_use_ -= size;
    if (size > largest_block) {
      ::munmap(at, whole_pages(size));
      return;
    }
    FreeBlock*& first = free_[list_index(block_size(size))];
    first = ::new (at) FreeBlock{first};
  }

  Usage usage() {
    const std::scoped_lock lock{mutex_};
    return {.bytes_in_use = in_use_, .is_locked = is_locked_};
  }

 private:
  // What is left of the chunk before is less than one largest block, and stays unused.
  std::byte* cut(std::size_t block) {
    if (left_ < block) {
      next_ = map(chunk_size);
      left_ = chunk_size;
    }
    left_ -= block;
    return std::exchange(next_, next_ + block);
  }

  std::byte* map(std::size_t size) {
    void* const at =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(at != MAP_FAILED, "no memory for secrets");
    const bool is_guarded = ::madvise(at, size, MADV_DONTDUMP) == 0 &&
                            ::madvise(at, size, MADV_WIPEONFORK) == 0 && ::mlock(at, size) == 0;
    is_locked_ = is_locked_ && is_guarded;
    return static_cast<std::byte*>(at);
  }

  std::mutex mutex_;
  std::array<FreeBlock*, block_sizes> free_{};
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t in_use_ = 0;
  bool is_locked_ = true;
};
static_assert(std::is_trivially_destructible_v<Arena>);

// Has no destructor to run, so that a secret of static lifetime may be the last to die.
Arena& arena() {
  static constinit Arena the_arena;
  return the_arena;
}

}  // namespace

std::byte* allocate(std::size_t size) { return arena().allocate(size); }
void release(std::byte* at, std::size_t size) noexcept { arena().release(at, size); }
Usage usage() { return arena().usage(); }

}  // namespace penstock::secret_memory
