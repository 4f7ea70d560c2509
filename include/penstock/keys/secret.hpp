// Secrets: move-only, wiped when they die, in locked memory that is left out of core
// dumps and of forked children, unprintable, comparable only in constant time.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "penstock/base/bytes.hpp"

namespace penstock {

// Overwrites with zeros in a way that no compiler removes.
void wipe(MutableBytes bytes) noexcept;

// True when both are equal; takes the same time whatever they hold. Lengths are public.
[[nodiscard]] bool equal_constant_time(Bytes a, Bytes b);

namespace secret_memory {
// Zeroed bytes, 64-byte aligned, from locked pages (mlock, MADV_DONTDUMP,
// MADV_WIPEONFORK: a forked child finds zeros). Aborts when there is no memory. Any thread.
[[nodiscard]] std::byte* allocate(std::size_t size);
// Wipes and gives back.
void release(std::byte* at, std::size_t size) noexcept;
// Bytes in use now, and whether every page could be locked and left out of dumps and
// children (it cannot where RLIMIT_MEMLOCK is too small; programs say so once).
struct Usage {
  std::size_t bytes_in_use;
  bool is_locked;
};
[[nodiscard]] Usage usage();
inline constexpr std::string_view not_locked =
    "secrets could not be locked in memory; raise the limit on locked memory (ulimit -l)";
}  // namespace secret_memory

// One trivially copyable T in secret memory. Never empty except when moved from.
template <class T>
  requires std::is_trivially_copyable_v<T>
class SecretBox {
 public:
  SecretBox() : at_(::new(secret_memory::allocate(sizeof(T))) T{}) {}
  SecretBox(SecretBox&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  SecretBox& operator=(SecretBox&& other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  ~SecretBox() {
    if (at_ != nullptr) secret_memory::release(reinterpret_cast<std::byte*>(at_), sizeof(T));
  }

  [[nodiscard]] T& operator*() { return *at_; }
  [[nodiscard]] const T& operator*() const { return *at_; }
  [[nodiscard]] T* operator->() { return at_; }
  [[nodiscard]] const T* operator->() const { return at_; }

 private:
  T* at_;
};

// N secret bytes. `Purpose` is a tag type that keeps keys apart that must not be swapped.
template <std::size_t N, class Purpose>
class Secret {
 public:
  static constexpr std::size_t size = N;

  Secret() : at_(secret_memory::allocate(N)) {}
  explicit Secret(std::span<const std::byte, N> bytes) : Secret() {
    std::memcpy(at_, bytes.data(), N);
  }
  Secret(Secret&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  Secret& operator=(Secret&& other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  ~Secret() {
    if (at_ != nullptr) secret_memory::release(at_, N);
  }

  // The bytes themselves: for handing to a primitive, never for keeping.
  [[nodiscard]] std::span<const std::byte, N> reveal() const {
    return std::span<const std::byte, N>{at_, N};
  }
  // Where a primitive writes them.
  [[nodiscard]] std::span<std::byte, N> fill() { return std::span<std::byte, N>{at_, N}; }

 private:
  std::byte* at_;
};

// A secret of a length known only at run time, say a key file.
class SecretBuffer {
 public:
  explicit SecretBuffer(std::size_t size) : at_(secret_memory::allocate(size)), size_(size) {}
  SecretBuffer(SecretBuffer&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  SecretBuffer& operator=(SecretBuffer&& other) noexcept {
    std::swap(at_, other.at_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~SecretBuffer() {
    if (at_ != nullptr) secret_memory::release(at_, size_);
  }

  [[nodiscard]] Bytes reveal() const { return Bytes{at_, size_}; }
  [[nodiscard]] MutableBytes fill() { return MutableBytes{at_, size_}; }

 private:
  std::byte* at_;
  std::size_t size_;
};

// --- the keys of an SA; tag types keep them from being swapped -------------------
struct EncryptPurpose;
struct MacPurpose;
using EncryptKey = Secret<32, EncryptPurpose>;  // shorter ciphers use the first bytes
using MacKey = Secret<48, MacPurpose>;          // HMAC-SHA256 uses the first 32

}  // namespace penstock
