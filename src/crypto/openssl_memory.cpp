#include "openssl_memory.hpp"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <openssl/crypto.h>

#include "penstock/base/bytes.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock::crypto::openssl {
namespace {

MutableBytes block_at(void* at) { return {static_cast<std::byte*>(at), ::malloc_usable_size(at)}; }

void* allocate(std::size_t size, const char*, int) { return std::malloc(size); }

void release(void* at, const char*, int) {
  if (at == nullptr) return;
  wipe(block_at(at));
  std::free(at);
}

// realloc() would leave a copy behind where it moves a block.
void* reallocate(void* at, std::size_t size, const char* file, int line) {
  if (at == nullptr) return allocate(size, file, line);
  if (size == 0) {
    release(at, file, line);
    return nullptr;
  }
  void* const moved = std::malloc(size);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, at, std::min(size, block_at(at).size()));
  release(at, file, line);
  return moved;
}

// OpenSSL takes these only before its first allocation.
const bool is_wiping = CRYPTO_set_mem_functions(&allocate, &reallocate, &release) == 1;

}  // namespace

bool is_freed_memory_wiped() { return is_wiping; }

[[gnu::noinline]] void wipe_stack_below() noexcept {
  std::array<std::byte, std::size_t{16} * 1024> below;
  wipe(below);
}

}  // namespace penstock::crypto::openssl
