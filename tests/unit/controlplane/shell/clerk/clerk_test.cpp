#include "controlplane/shell/clerk/clerk.hpp"

#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <csignal>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "penstock/crypto/identity_file.hpp"
#include "tests/unit/base/fixture/confined.hpp"

#include "controlplane/names/lookup.hpp"
#include "controlplane/shell/clerk/service.hpp"

namespace penstock::controlplane {
namespace {

constexpr std::string_view head = R"([ports.plain]
device = "af_packet:eth1"
[ports.wire]
device = "af_packet:eth0"
address = "192.0.2.1/24"
)";

std::string link(std::string_view peer, std::string_view more = "") {
  return fmt::format(
      "[[link]]\npeer = \"{0}\"\nendpoint = \"192.0.2.2\"\nkey_file = \"{0}.key\"\n{1}\n", peer,
      more);
}

// A site's directory, and a clerk that is a process of its own, as penstockd has it.
class ClerkProcess : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "clerk-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    write_key("beta.key", 'b');
    write_key("old.key", 'o');
    write_site("", link("beta"));
  }
  void TearDown() override {
    clerk_.reset();
    while (::waitpid(-1, nullptr, 0) > 0) continue;
    std::filesystem::remove_all(directory_);
  }

  void write_key(const std::string& name, char filling, unsigned mode = 0600) const {
    const std::string file = directory_ / name;
    std::ofstream{file} << std::string(32, filling);
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
  }
  void write_site(std::string_view site, const std::string& links) const {
    std::ofstream{config_file()} << fmt::format(
        "[site]\nname = \"alpha\"\nrun_dir = \"{0}/run\"\nstate_dir = \"{0}/state\"\n{1}\n{2}{3}",
        directory_.string(), site, head, links);
  }
  [[nodiscard]] std::string config_file() const { return directory_ / "site.toml"; }
  [[nodiscard]] std::string retired_file() const { return directory_ / "state/beta.retired"; }

  Clerk& clerk() {
    if (!clerk_) {
      auto process = Clerk::fork(config_file());
      EXPECT_TRUE(process);
      clerk_ = std::make_unique<Clerk>(loop_, std::move(*process));
    }
    return *clerk_;
  }
  // Runs the loop until the order that `give` gives is answered.
  template <class T, class Give>
  T answer_to(const Give& give) {
    std::optional<T> answer;
    give([&](T value) { answer.emplace(std::move(value)); });
    while (!answer)
      if (loop_.run_one() == 0) loop_.restart();  // a dead clerk leaves it without work
    return std::move(*answer);
  }
  Result<LoadedSite> load() {
    return answer_to<Result<LoadedSite>>([this](auto done) { clerk().load(done); });
  }
  std::string refusal_of_load() {
    const auto loaded = load();
    return loaded ? "loaded" : loaded.error().message;
  }
  Result<void> retire(const crypto::FileKey& key) {
    return answer_to<Result<void>>(
        [&](auto done) { clerk().retire("beta", crypto::fingerprint(key), done); });
  }
  Result<void> restore(std::string_view peer) {
    return answer_to<Result<void>>([&](auto done) { clerk().restore(peer, done); });
  }
  std::optional<IpAddress> resolve(std::string_view host, IpVersion version = IpVersion::v4) {
    return answer_to<std::optional<IpAddress>>(
        [&](auto done) { clerk().resolve(host, version, done); });
  }
  [[nodiscard]] pid_t child() const {
    pid_t pid = 0;
    std::ifstream{fmt::format("/proc/self/task/{0}/children", ::gettid())} >> pid;
    return pid;
  }

  std::filesystem::path directory_;
  asio::io_context loop_;
  std::unique_ptr<Clerk> clerk_;
};

crypto::FileKey file_key(char filling) {
  return crypto::derive_file_key(as_bytes(std::string(32, filling)));
}
bool same(const crypto::FileKey& a, const crypto::FileKey& b) {
  return equal_constant_time(a.reveal(), b.reveal());
}

// --- loading ------------------------------------------------------------------------------

TEST_F(ClerkProcess, LoadsTheConfigAndTheKeysOfItsLinks) {
  write_key("gamma.key", 'g');
  write_site("", link("beta", "old_key_file = \"old.key\"") + link("gamma", "vlan = 7"));
  const auto site = load();
  ASSERT_TRUE(site) << site.error().message;
  EXPECT_EQ(site->config.name, "alpha");
  ASSERT_EQ(site->keys.size(), 2u);
  EXPECT_TRUE(same(site->keys[0].key, file_key('b')));
  ASSERT_TRUE(site->keys[0].old_key);
  EXPECT_TRUE(same(*site->keys[0].old_key, file_key('o')));
  EXPECT_TRUE(same(site->keys[1].key, file_key('g')));
  EXPECT_FALSE(site->keys[1].old_key);
  EXPECT_EQ(site->identity, nullptr);
}

TEST_F(ClerkProcess, LoadsTheIdentity) {
  write_site("identity_file = \"identity\"", link("beta"));
  const auto made = crypto::generate_identity_file(directory_ / "identity");
  ASSERT_TRUE(made);
  const auto site = load();
  ASSERT_TRUE(site) << site.error().message;
  ASSERT_NE(site->identity, nullptr);
  EXPECT_EQ(site->identity->public_key(), made->public_key());
}

TEST_F(ClerkProcess, LoadsAgainWhatHasChangedOnceItIsConfined) {
  ASSERT_TRUE(load());
  write_key("gamma.key", 'g');
  write_site("", link("beta") + link("gamma", "vlan = 7"));
  const auto site = load();
  ASSERT_TRUE(site) << site.error().message;
  EXPECT_EQ(site->config.links.size(), 2u);
}

TEST_F(ClerkProcess, LoadsAConfigLongerThanAPacket) {
  std::string links = link("beta");
  for (int vlan = 1; vlan < 400; ++vlan) {
    const std::string peer = fmt::format("far-{}", vlan);
    write_key(peer + ".key", 'x');
    links += link(peer, fmt::format("vlan = {}", vlan));
  }
  ASSERT_GT(links.size(), 2 * clerk::max_answer);
  write_site("", links);
  const auto site = load();
  ASSERT_TRUE(site) << site.error().message;
  EXPECT_EQ(site->keys.size(), 400u);
}

TEST_F(ClerkProcess, WhatCannotBeLoadedIsOneSentenceAndChangesNothing) {
  ASSERT_TRUE(load());
  write_key("beta.key", 'b', 0644);
  EXPECT_NE(refusal_of_load().find("is readable by others"), std::string::npos);
  write_key("beta.key", 'b');
  write_site("colour = 1", link("beta"));
  EXPECT_NE(refusal_of_load().find("site.toml:5: site.colour"), std::string::npos);
  write_site("", link("beta", "old_key_file = \"same.key\""));
  write_key("same.key", 'b');
  EXPECT_NE(refusal_of_load().find("hold the same key"), std::string::npos);
  std::filesystem::remove(config_file());
  EXPECT_NE(refusal_of_load().find("cannot read the config file"), std::string::npos);
  write_site("", link("beta"));
  EXPECT_TRUE(load());
}

// --- retired keys -----------------------------------------------------------------------------

TEST_F(ClerkProcess, ARetiredKeyIsNotLoadedAnyMoreEvenByTheNextClerk) {
  write_site("", link("beta", "old_key_file = \"old.key\""));
  ASSERT_TRUE(load());
  const auto done = retire(file_key('o'));
  ASSERT_TRUE(done) << done.error().message;
  for (int life = 0; life < 2; ++life) {
    const auto site = load();
    ASSERT_TRUE(site) << site.error().message;
    EXPECT_FALSE(site->keys[0].old_key);
    EXPECT_TRUE(site->keys[0].is_old_retired);
    clerk_.reset();  // the next one is a new process
  }
  std::stringstream text;
  text << std::ifstream{retired_file()}.rdbuf();
  EXPECT_EQ(text.str(), to_hex(crypto::fingerprint(file_key('o'))) + "\n");
}

TEST_F(ClerkProcess, ARetiredKeyIsNoLinksNewKeyEither) {
  ASSERT_TRUE(load());
  ASSERT_TRUE(retire(file_key('b')));
  EXPECT_NE(refusal_of_load().find("was retired on the link to beta"), std::string::npos);
}

TEST_F(ClerkProcess, TheOperatorMayRestoreAKeyThatWasRetired) {
  write_site("", link("beta", "old_key_file = \"old.key\""));
  ASSERT_TRUE(load());
  ASSERT_TRUE(retire(file_key('x')));
  EXPECT_FALSE(restore("beta"));
  EXPECT_FALSE(restore("gamma"));
  ASSERT_TRUE(retire(file_key('o')));
  const auto done = restore("beta");
  ASSERT_TRUE(done) << done.error().message;
  const auto site = load();
  ASSERT_TRUE(site);
  EXPECT_TRUE(site->keys[0].old_key);
}

TEST_F(ClerkProcess, AStateFileThatMakesNoSenseIsRefused) {
  ASSERT_TRUE(load());
  std::ofstream{retired_file()} << "all of them\n";
  EXPECT_NE(refusal_of_load().find("beta.retired should name retired keys"), std::string::npos);
}

TEST_F(ClerkProcess, AStateDirectoryThatCannotBeWrittenIsOneSentence) {
  std::ofstream{directory_ / "state"} << "a file in its place";
  const auto site = load();
  EXPECT_FALSE(site);
  EXPECT_NE(site.error().message.find("cannot read which keys are retired"), std::string::npos);
}

TEST_F(ClerkProcess, AnOldKeyThatCouldNotBeRetiredIsNotLoaded) {
  ASSERT_TRUE(load());
  const std::string state = directory_ / "state";
  ASSERT_EQ(::chmod(state.c_str(), 0500), 0);
  EXPECT_TRUE(load()) << "without an old key, nothing is to be written";
  write_site("", link("beta", "old_key_file = \"old.key\""));
  EXPECT_NE(refusal_of_load().find("an old_key_file needs a state_dir that can be written"),
            std::string::npos);
  ASSERT_EQ(::chmod(state.c_str(), 0700), 0);
  const auto site = load();
  ASSERT_TRUE(site) << site.error().message;
  EXPECT_TRUE(site->keys[0].old_key);
  EXPECT_TRUE(std::filesystem::is_empty(state));
}

// --- names and the audit log ---------------------------------------------------------------------

TEST_F(ClerkProcess, ResolvesNames) {
  ASSERT_TRUE(load());
  EXPECT_EQ(resolve("localhost"), parse_ip("127.0.0.1"));
  EXPECT_EQ(resolve("192.0.2.7"), parse_ip("192.0.2.7"));
  EXPECT_EQ(resolve("2001:db8::7", IpVersion::v6), parse_ip("2001:db8::7"));
  EXPECT_EQ(resolve("2001:db8::7", IpVersion::v4), std::nullopt);
  EXPECT_EQ(resolve("no-such-host.invalid"), std::nullopt);
  EXPECT_TRUE(load()) << "the clerk has survived its lookups";
}

TEST_F(ClerkProcess, OpensTheAuditLogAndAppendsToIt) {
  write_site(fmt::format("audit_log = \"{}/log/audit\"", directory_.string()), link("beta"));
  ASSERT_TRUE(load());
  const std::string file = directory_ / "log/audit";
  for (const char* line : {"one\n", "two\n"}) {
    const auto opened =
        answer_to<Result<UniqueFd>>([&](auto done) { clerk().open_audit_log(done); });
    ASSERT_TRUE(opened) << opened.error().message;
    ASSERT_EQ(::write(opened->get(), line, 4), 4);
  }
  std::stringstream text;
  text << std::ifstream{file}.rdbuf();
  EXPECT_EQ(text.str(), "one\ntwo\n");
  struct stat status{};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
}

TEST_F(ClerkProcess, HasNoAuditLogToOpenWithoutOneInTheConfig) {
  ASSERT_TRUE(load());
  const auto opened = answer_to<Result<UniqueFd>>([&](auto done) { clerk().open_audit_log(done); });
  ASSERT_TRUE(opened);
  EXPECT_FALSE(*opened);
}

// --- its life
// ---------------------------------------------------------------------------------------

TEST_F(ClerkProcess, OrdersAreAnsweredInTheirOrderButLookupsComeLast) {
  ASSERT_TRUE(load());
  std::string order;
  const auto resolve_as = [&](char name) {
    clerk().resolve("192.0.2.1", IpVersion::v4, [&order, name](auto) { order += name; });
  };
  resolve_as('a');  // under way
  resolve_as('d');
  resolve_as('e');
  clerk().load([&](const auto&) { order += 'b'; });
  clerk().retire("beta", {}, [&](const auto&) { order += 'c'; });
  while (order.size() < 5) loop_.run_one();
  EXPECT_EQ(order, "abcde");
}

TEST_F(ClerkProcess, WhatItIsToForgetIsRefusedAndTheNextLoadIsNot) {
  ASSERT_TRUE(load());
  std::vector<std::string> answers;
  const auto note = [&](const Result<LoadedSite>& site) {
    answers.push_back(site ? "loaded" : site.error().message);
  };
  clerk().load(note);  // under way
  clerk().resolve("192.0.2.1", IpVersion::v4, [&](auto) { answers.emplace_back("resolved"); });
  clerk().load(note);
  clerk().forget();
  clerk().load(note);
  EXPECT_TRUE(answers.empty()) << "from the loop";
  while (answers.size() < 4) loop_.run_one();
  std::ranges::sort(answers);
  for (const std::size_t forgotten : {0u, 1u})
    EXPECT_NE(answers[forgotten].find("every key was wiped"), std::string::npos);
  EXPECT_EQ(answers[2], "loaded");
  EXPECT_EQ(answers[3], "resolved");
}

TEST_F(ClerkProcess, WhenItHasDiedEveryOrderIsRefusedInASentence) {
  ASSERT_TRUE(load());
  ASSERT_GT(child(), 0);
  ::kill(child(), SIGKILL);
  for (int order = 0; order < 2; ++order)
    EXPECT_NE(refusal_of_load().find("restart penstockd"), std::string::npos);
  EXPECT_EQ(resolve("localhost"), std::nullopt);
}

TEST_F(ClerkProcess, EndsWithItsPenstockd) {
  ASSERT_TRUE(load());
  const pid_t pid = child();
  clerk_.reset();
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status));
}

// --- what it may do ---------------------------------------------------------------------------

TEST_F(ClerkProcess, ALookupHasNeitherItsFilesNorItsCapabilities) {
  if (!confines_files_and_calls) GTEST_SKIP() << "a sanitizer is built in";
  if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 1) GTEST_SKIP() << "no Landlock";
  SiteConfig config;
  config.state_dir = directory_ / "state";
  std::filesystem::create_directory(config.state_dir);
  const Confinement confinement = clerk::confinement_of(config);
  const std::string key = directory_ / "beta.key";
  const auto look_up_and = [](const auto& act) {
    return [&act] { return names::keep_to_names() ? act() : test::not_confined; };
  };
  const auto read_key = [&] { return test::read_error(key.c_str()); };
  const auto read_hosts = [] { return test::read_error("/etc/hosts"); };
  const auto count_capabilities = [] {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    if (::syscall(SYS_capget, &header, sets.data()) != 0) return test::not_confined;
    return std::popcount(sets[0].permitted) + std::popcount(sets[1].permitted);
  };
  EXPECT_EQ(test::confined(confinement, read_key), 0) << "the clerk itself";
  EXPECT_EQ(test::confined(confinement, look_up_and(read_key)), EACCES);
  EXPECT_EQ(test::confined(confinement, look_up_and(read_hosts)), 0);
  EXPECT_EQ(test::confined(confinement, look_up_and(count_capabilities)), 0);
  if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 4) GTEST_SKIP() << "not of TCP";
  const auto ask = [](int port) { return [port] { return test::tcp_error(&::connect, port); }; };
  EXPECT_NE(test::confined(confinement, look_up_and(ask(53))), EACCES);  // a name server
  EXPECT_EQ(test::confined(confinement, look_up_and(ask(54))), EACCES);
}

TEST_F(ClerkProcess, IsConfined) {
  if (!confines_files_and_calls) GTEST_SKIP() << "a sanitizer is built in";
  SiteConfig config;
  config.state_dir = directory_ / "state";
  std::filesystem::create_directory(config.state_dir);
  const Confinement confinement = clerk::confinement_of(config);
  for (const auto& call : test::forbidden_calls) {
    if (std::string_view{call.name} == "memory to run") continue;  // modules for names
    if (std::string_view{call.name} == "fork") continue;           // lookups
    EXPECT_EQ(test::confined(confinement, call.act), -SIGSYS) << call.name;
  }
  const auto create = [this](std::string_view where) {
    const std::string file = directory_ / where;
    return [file] { return test::error_of(::open(file.c_str(), O_WRONLY | O_CREAT, 0600)); };
  };
  EXPECT_EQ(test::confined(confinement, create("state/x")), 0);
  if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 1) GTEST_SKIP() << "no Landlock";
  EXPECT_EQ(test::confined(confinement, create("x")), EACCES);
  for (const AllowedCall& call : confinement.calls) EXPECT_FALSE(call.reason.empty());
}

}  // namespace
}  // namespace penstock::controlplane
