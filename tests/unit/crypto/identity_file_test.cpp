#include "penstock/crypto/identity_file.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "memory_search.hpp"

namespace penstock::crypto {
namespace {

namespace fs = std::filesystem;

// RFC 8410 section 10.3, and its public key from section 10.1.
constexpr std::string_view example =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view its_public_key = "ed25519:Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

class IdentityFile : public testing::Test {
 protected:
  IdentityFile() {
    std::string name = (fs::temp_directory_path() / "penstock-identity-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ / "site.identity";
  }
  ~IdentityFile() override { fs::remove_all(folder_); }

  void write(std::string_view text, mode_t mode = 0600) const {
    std::ofstream{path_, std::ios::trunc} << text;
    ::chmod(path_.c_str(), mode);
  }
  std::string refusal() const {
    const auto read = read_identity_file(path_);
    if (read) return "accepted";
    EXPECT_EQ(read.error().kind, ErrorKind::key);
    EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
    EXPECT_NE(read.error().message.find(path_.string()), std::string::npos);
    return read.error().message;
  }
  std::string refusal_of(std::string_view text) const {
    write(text);
    return refusal();
  }
  static bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  }

  fs::path folder_;
  fs::path path_;
};

TEST_F(IdentityFile, KnownAnswer) {
  write(example);
  const auto read = read_identity_file(path_);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_text(read->public_key()), its_public_key);
  write(example.substr(0, example.size() - 1));
  EXPECT_TRUE(read_identity_file(path_)) << "without the last newline";
}

TEST_F(IdentityFile, AGeneratedOneIsReadBack) {
  const auto made = generate_identity_file(path_);
  ASSERT_TRUE(made) << made.error().message;
  struct stat found{};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0600u);
  EXPECT_EQ(found.st_size, static_cast<off_t>(example.size()));
  const auto read = read_identity_file(path_);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->public_key(), made->public_key());
  EXPECT_EQ(read->sign({as_bytes("text")}), made->sign({as_bytes("text")}));
}

TEST_F(IdentityFile, GeneratingNeverOverwrites) {
  write(example);
  const auto made = generate_identity_file(path_);
  ASSERT_FALSE(made);
  EXPECT_TRUE(has(made.error().message, "never overwritten"));
  EXPECT_TRUE(read_identity_file(path_));
}

TEST_F(IdentityFile, TheRulesOfKeyFilesHold) {
  EXPECT_TRUE(has(refusal(), "run penstock identity new"));
  write(example, 0640);
  EXPECT_TRUE(has(refusal(), "run chmod 600"));
}

TEST_F(IdentityFile, AnythingElseIsNoIdentity) {
  const std::string good{example};
  const auto with = [&](std::size_t at, char by) {
    std::string text = good;
    text[at] = by;
    return refusal_of(text);
  };
  constexpr std::string_view no_key = "holds no Ed25519 private key";
  EXPECT_TRUE(has(with(0, '_'), no_key));
  EXPECT_TRUE(has(with(30, 'D'), no_key)) << "not a sequence of 46 bytes";
  EXPECT_TRUE(has(with(40, 'A'), no_key)) << "another algorithm";
  EXPECT_TRUE(has(with(60, '!'), no_key)) << "no base64";
  EXPECT_TRUE(has(with(92, ' '), no_key)) << "no newline";
  EXPECT_TRUE(has(with(100, '_'), no_key));
  EXPECT_TRUE(has(refusal_of(""), "0 bytes"));
  EXPECT_TRUE(has(refusal_of(good + "\n"), "at most 119"));
  std::string public_half{example};
  public_half.replace(11, 7, "PUBLIC ");
  EXPECT_TRUE(has(refusal_of(public_half), no_key));
  EXPECT_EQ(refusal_of(good), "accepted");
}

TEST_F(IdentityFile, NoCopyIsLeft) {
  if (!can_search_memory) GTEST_SKIP() << "AddressSanitizer's memory is too large to search";
  auto made = std::make_unique<Result<IdentityKey>>(generate_identity_file(path_));
  ASSERT_TRUE(*made);
  const Needle seed{(*made)->seed().reveal()};
  auto read = std::make_unique<Result<IdentityKey>>(read_identity_file(path_));
  ASSERT_TRUE(*read);
  EXPECT_EQ(count_in_memory(seed), 2u);
  made.reset();
  read.reset();
  EXPECT_EQ(count_in_memory(seed), 0u);
}

}  // namespace
}  // namespace penstock::crypto
