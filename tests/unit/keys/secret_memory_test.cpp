#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "penstock/keys/secret.hpp"

namespace penstock::secret_memory {
namespace {

// AddressSanitizer puts an mlock in place that does nothing and says that it worked.
#ifdef __SANITIZE_ADDRESS__
constexpr bool can_lock = false;
#elif defined(__has_feature)
constexpr bool can_lock = !__has_feature(address_sanitizer);
#else
constexpr bool can_lock = true;
#endif

bool is_zero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

// Runs `body` in a forked child; what it returned.
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The VmFlags line of the mapping that holds `at` (proc(5), smaps).
std::string vm_flags(const void* at) {
  std::ifstream smaps{"/proc/self/smaps"};
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  bool is_here = false;
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &first, &last) == 2)  // NOLINT(cert-err34-c)
      is_here = first <= address && address < last;
    if (is_here && line.starts_with("VmFlags:")) return line + " ";
  }
  return {};
}

class OfSize : public testing::TestWithParam<std::size_t> {};

TEST_P(OfSize, IsZeroedAlignedAndCounted) {
  const std::size_t size = GetParam();
  const std::size_t before = usage().bytes_in_use;
  std::byte* const at = allocate(size);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at) % 64, 0u);
  EXPECT_TRUE(is_zero({at, size}));
  EXPECT_EQ(usage().bytes_in_use, before + size);
  std::fill_n(at, size, std::byte{0xa5});
  release(at, size);
  EXPECT_EQ(usage().bytes_in_use, before);
}

TEST_P(OfSize, IsLockedAndLeftOutOfDumpsAndChildren) {
  const std::size_t size = GetParam();
  std::byte* const at = allocate(size);
  const std::string flags = vm_flags(at);
  EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
  EXPECT_NE(flags.find(" wf "), std::string::npos) << flags;
  if (can_lock) {
    EXPECT_EQ(flags.find(" lo ") != std::string::npos, usage().is_locked) << flags;
  }

  std::fill_n(at, size, std::byte{0xa5});
  EXPECT_EQ(in_child([&] { return is_zero({at, size}) ? 0 : 1; }), 0);
  EXPECT_EQ(at[size - 1], std::byte{0xa5});
  release(at, size);
}

INSTANTIATE_TEST_SUITE_P(SecretMemory, OfSize,
                         testing::Values(1, 32, 64, 65, 512, 4095, 4096, 4097, 65536, 300000));

TEST(SecretMemory, GrowsAndNeverHandsOutAByteTwice) {
  constexpr std::array<std::size_t, 6> sizes{1, 64, 100, 700, 4096, 5000};
  struct Piece {
    std::byte* at;
    std::size_t size;
  };
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < 600; ++i) {
    const std::size_t size = sizes[i % sizes.size()];
    pieces.push_back({allocate(size), size});
  }
  std::ranges::sort(pieces, {}, &Piece::at);
  for (std::size_t i = 1; i < pieces.size(); ++i)
    ASSERT_LE(pieces[i - 1].at + pieces[i - 1].size, pieces[i].at);
  for (const Piece& piece : pieces) release(piece.at, piece.size);
}

TEST(SecretMemory, ReusesWhatWasReleased) {
  std::set<std::byte*> seen;
  for (int i = 0; i < 1000; ++i) {
    std::byte* const at = allocate(200);
    seen.insert(at);
    release(at, 200);
  }
  EXPECT_EQ(seen.size(), 1u);
}

TEST(SecretMemory, ThreadsGetTheirOwnBytes) {
  const std::size_t before = usage().bytes_in_use;
  std::array<bool, 4> is_intact{};
  {
    std::array<std::jthread, 4> threads;
    for (std::size_t t = 0; t < threads.size(); ++t)
      threads[t] = std::jthread{[&ok = is_intact[t], mark = static_cast<std::byte>(t + 1)] {
        ok = true;
        for (std::size_t i = 0; i < 2000; ++i) {
          const std::size_t size = 1 + i % 300;
          std::byte* const at = allocate(size);
          ok = ok && is_zero({at, size});
          std::fill_n(at, size, mark);
          std::this_thread::yield();
          ok = ok && std::all_of(at, at + size, [&](std::byte b) { return b == mark; });
          release(at, size);
        }
      }};
  }
  for (const bool ok : is_intact) EXPECT_TRUE(ok);
  EXPECT_EQ(usage().bytes_in_use, before);
}

TEST(SecretMemory, AChildGoesOnWithEmptyPages) {
  release(allocate(64), 64);
  EXPECT_EQ(in_child([] {
              for (int i = 0; i < 3000; ++i) {
                std::byte* const at = allocate(64);
                if (!is_zero({at, 64})) return 1;
                std::fill_n(at, 64, std::byte{0xa5});
              }
              return 0;
            }),
            0);
}

TEST(SecretMemory, SaysWhenItCouldNotBeLocked) {
  if (!can_lock) GTEST_SKIP() << "AddressSanitizer locks nothing";
  EXPECT_EQ(in_child([] {
              // Root may lock whatever the limit says, so the child is somebody else.
              if (::geteuid() == 0 && ::setuid(65534) != 0) return 2;
              constexpr rlimit none{.rlim_cur = 0, .rlim_max = 0};
              if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0) return 3;
              release(allocate(100000), 100000);
              return usage().is_locked ? 1 : 0;
            }),
            0);
}

}  // namespace
}  // namespace penstock::secret_memory
