#include "penstock/keys/key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "penstock/base/limits.hpp"

namespace penstock {
namespace {

namespace fs = std::filesystem;

class KeyFile : public testing::Test {
 protected:
  KeyFile() {
    std::string name = (fs::temp_directory_path() / "penstock-keys-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~KeyFile() override { fs::remove_all(folder_); }

  fs::path write(std::string_view name, std::size_t size, mode_t mode = 0600) const {
    fs::path path = folder_ / name;
    std::ofstream{path} << std::string(size, 'k');
    ::chmod(path.c_str(), mode);
    return path;
  }
  static std::string refusal(const fs::path& path) {
    const Result<SecretBuffer> read = read_key_file(path);
    if (read) return "accepted";
    EXPECT_EQ(read.error().kind, ErrorKind::key);
    EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
    EXPECT_NE(read.error().message.find(path.string()), std::string::npos);
    return read.error().message;
  }
  static bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  }

  fs::path folder_;
};

TEST_F(KeyFile, AnyLengthFrom32BytesTo64KiBIsRead) {
  for (const std::size_t size : {std::size_t{32}, std::size_t{33}, limits::max_key_file}) {
    const Result<SecretBuffer> read = read_key_file(write("key", size));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->reveal().size(), size);
    EXPECT_TRUE(
        std::ranges::all_of(read->reveal(), [](std::byte b) { return b == std::byte{'k'}; }));
  }
}

TEST_F(KeyFile, MayBeReadOnlyAndBehindASymbolicLink) {
  const fs::path path = write("key", 32, 0400);
  fs::create_symlink(path, folder_ / "link");
  EXPECT_TRUE(read_key_file(path));
  EXPECT_TRUE(read_key_file(folder_ / "link"));
}

TEST_F(KeyFile, WhatASymbolicLinkNamesIsJudged) {
  fs::create_symlink(write("key", 32, 0644), folder_ / "link");
  EXPECT_TRUE(has(refusal(folder_ / "link"), "readable by others"));
}

TEST_F(KeyFile, MissingSaysHowToMakeOne) {
  EXPECT_TRUE(has(refusal(folder_ / "key"), "run penstock genkey"));
  fs::create_symlink(folder_ / "nowhere", folder_ / "link");
  EXPECT_TRUE(has(refusal(folder_ / "link"), "does not exist"));
}

TEST_F(KeyFile, ShortSaysHowLongItMustBe) {
  EXPECT_TRUE(has(refusal(write("key", 31)), "31 bytes and needs at least 32"));
  EXPECT_TRUE(has(refusal(write("empty", 0)), "0 bytes"));
}

TEST_F(KeyFile, HugeIsRefusedBeforeItIsRead) {
  EXPECT_TRUE(has(refusal(write("key", limits::max_key_file + 1)), "at most 65536"));
  const fs::path sparse = write("sparse", 32);
  fs::resize_file(sparse, std::uintmax_t{1} << 40);
  EXPECT_TRUE(has(refusal(sparse), "at most 65536"));
}

TEST_F(KeyFile, EveryBitForGroupOrOthersIsRefused) {
  for (const mode_t bit : {040u, 020u, 010u, 04u, 02u, 01u}) {
    const fs::path path = write("key", 32, 0600 | bit);
    EXPECT_TRUE(has(refusal(path), "run chmod 600 " + path.string())) << std::oct << bit;
  }
  EXPECT_TRUE(has(refusal(write("key", 32, 0644)), "is readable by others"));
}

TEST_F(KeyFile, WhatIsNotAFileIsRefusedAndNeverWaitedFor) {
  EXPECT_TRUE(has(refusal(folder_), "not a regular file"));
  const fs::path fifo = folder_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_TRUE(has(refusal(fifo), "not a regular file"));
  EXPECT_TRUE(has(refusal("/dev/zero"), "not a regular file"));
}

TEST_F(KeyFile, OfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const fs::path path = write("key", 32);
  ASSERT_EQ(::chown(path.c_str(), 12345, 0), 0);
  EXPECT_TRUE(has(refusal(path), "belongs to user 12345"));
}

TEST_F(KeyFile, GeneratedHas32RandomBytesForTheOwnerAlone) {
  const mode_t umask_before = ::umask(0777);
  const Result<void> one = generate_key_file(folder_ / "one");
  ::umask(0);
  const Result<void> two = generate_key_file(folder_ / "two");
  ::umask(umask_before);
  ASSERT_TRUE(one) << one.error().message;
  ASSERT_TRUE(two) << two.error().message;
  for (const char* name : {"one", "two"}) {
    struct stat found{};
    ASSERT_EQ(::stat((folder_ / name).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777, 0600u);
    EXPECT_EQ(found.st_size, 32);
  }
  const Result<SecretBuffer> first = read_key_file(folder_ / "one");
  const Result<SecretBuffer> second = read_key_file(folder_ / "two");
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(equal_constant_time(first->reveal(), second->reveal()));
  EXPECT_FALSE(equal_constant_time(first->reveal(), SecretBuffer{32}.reveal()));
}

TEST_F(KeyFile, GeneratingNeverOverwrites) {
  const fs::path path = write("key", 40);
  fs::create_symlink(folder_ / "nowhere", folder_ / "link");
  for (const fs::path& taken : {path, folder_ / "link"}) {
    const Result<void> made = generate_key_file(taken);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, ErrorKind::key);
    EXPECT_TRUE(has(made.error().message, "never overwritten")) << made.error().message;
  }
  EXPECT_EQ(fs::file_size(path), 40u);
  EXPECT_FALSE(fs::exists(folder_ / "nowhere"));
}

TEST_F(KeyFile, GeneratingIntoAMissingFolderSaysSo) {
  const Result<void> made = generate_key_file(folder_ / "missing" / "key");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::missing);
}

}  // namespace
}  // namespace penstock
