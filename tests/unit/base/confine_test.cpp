#include "penstock/base/confine.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/base/fixture/confined.hpp"

namespace penstock {
namespace {

using test::confined;
using test::error_of;
using test::read_error;
using enum AllowedPath::Access;

Confinement everyday() { return {.calls = everyday_calls()}; }

// `everyday` with one more line, in place of one that refuses the call.
Confinement everyday_and(AllowedCall line) {
  Confinement confinement = everyday();
  std::erase_if(confinement.calls,
                [&](const AllowedCall& call) { return call.number == line.number; });
  confinement.calls.push_back(line);
  return confinement;
}

bool has_landlock() { return syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) > 0; }

class Confine : public testing::Test {
 protected:
  void SetUp() override {
    if (!confines_files_and_calls) GTEST_SKIP() << "a sanitizer is built in";
  }
};

// --- system calls ---------------------------------------------------------------------------

TEST_F(Confine, LeavesWhatIsOnTheList) {
  EXPECT_EQ(confined(everyday(), [] { return getpid() > 0 ? 7 : 8; }), 7);
}

TEST_F(Confine, ACallThatIsNotOnTheListKillsTheProcess) {
  EXPECT_EQ(confined(everyday(), [] { return error_of(syscall(SYS_getppid)); }), -SIGSYS);
}

TEST_F(Confine, SoDoesWhatSomebodyWhoTookTheProgramOverWouldTry) {
  for (const auto& call : test::forbidden_calls)
    EXPECT_EQ(confined(everyday(), call.act), -SIGSYS) << call.name;
  for (const auto& call : test::forbidden_sockets)
    EXPECT_EQ(confined(everyday(), call.act), -SIGSYS) << call.name;
}

TEST_F(Confine, ACallOfA32BitProgramKills) {
  // getpid() by its number there.
  const auto act = [] {
    int result = 20;
    asm volatile("int $0x80" : "+a"(result) : : "memory");
    return 0;
  };
  EXPECT_EQ(confined(everyday(), act), -SIGSYS);
}

TEST_F(Confine, ALineMayHoldForOneArgumentAlone) {
  const auto confinement =
      everyday_and({SYS_socket, "test", ArgumentRule{.index = 0, .value = AF_UNIX}});
  EXPECT_EQ(confined(confinement, [] { return error_of(socket(AF_UNIX, SOCK_STREAM, 0)); }), 0);
  EXPECT_EQ(confined(confinement, [] { return error_of(socket(AF_INET, SOCK_STREAM, 0)); }),
            -SIGSYS);
}

TEST_F(Confine, ACallMayBeRefusedInsteadOfKilled) {
  EXPECT_EQ(confined(everyday(), [] { return read_error("/dev/null"); }), EACCES);
}

TEST_F(Confine, AbortIsStillAnAbort) {
  const auto confine_and_abort = [] {
    if (confine(everyday())) std::abort();
  };
  EXPECT_EXIT(confine_and_abort(), testing::KilledBySignal(SIGABRT), "");
}

TEST_F(Confine, EveryLineHasAReasonAndANumberOfItsOwn) {
  std::set<int> numbers;
  for (const AllowedCall& call : everyday_calls()) {
    EXPECT_FALSE(call.reason.empty()) << call.number;
    EXPECT_TRUE(numbers.insert(call.number).second) << call.number;
  }
}

// --- files ------------------------------------------------------------------------------------

class ConfineFiles : public Confine {
 protected:
  void SetUp() override {
    Confine::SetUp();
    if (!has_landlock()) GTEST_SKIP() << "the kernel has no Landlock";
    std::string name = testing::TempDir() + "confine-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    std::ofstream{file()} << "text";
  }
  void TearDown() override {
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  [[nodiscard]] std::string file() const { return directory_ / "file"; }
  [[nodiscard]] Confinement with(std::vector<AllowedPath> paths) const {
    Confinement confinement = everyday_and({SYS_openat, "test"});
    confinement.calls.push_back({SYS_unlink, "test"});
    confinement.paths = std::move(paths);
    return confinement;
  }

  std::filesystem::path directory_;
};

TEST_F(ConfineFiles, NoneCanBeOpened) {
  for (const char* path : {"/etc/shadow", "/etc/passwd", "/proc/self/mem", "/dev/null", "/"})
    EXPECT_EQ(confined(with({}), [path] { return read_error(path); }), EACCES) << path;
  EXPECT_EQ(confined(with({}), [this] { return read_error(file().c_str()); }), EACCES);
}

TEST_F(ConfineFiles, OneThatIsNamedCanBeRead) {
  const auto by_directory = with({{directory_, read, "test"}});
  EXPECT_EQ(confined(by_directory, [this] { return read_error(file().c_str()); }), 0);
  EXPECT_EQ(confined(by_directory, [] { return read_error("/etc/passwd"); }), EACCES);
  const auto by_name = with({{file(), read, "test"}});
  EXPECT_EQ(confined(by_name, [this] { return read_error(file().c_str()); }), 0);
}

TEST_F(ConfineFiles, ToReadIsNotToWriteNorToRemove) {
  const auto confinement = with({{directory_, read, "test"}});
  EXPECT_EQ(confined(confinement, [this] { return error_of(open(file().c_str(), O_WRONLY)); }),
            EACCES);
  EXPECT_EQ(confined(confinement, [this] { return error_of(unlink(file().c_str())); }), EACCES);
  EXPECT_TRUE(std::filesystem::exists(file()));
}

TEST_F(ConfineFiles, ToRemoveIsNotToRead) {
  const auto confinement = with({{directory_, remove_files, "test"}});
  EXPECT_EQ(confined(confinement, [this] { return read_error(file().c_str()); }), EACCES);
  EXPECT_EQ(confined(confinement, [this] { return error_of(unlink(file().c_str())); }), 0);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(ConfineFiles, ToReplaceIsToMakeRenameAndRemove) {
  const std::string next = directory_ / "next";
  const auto replace = [&] {
    const int made = open(next.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (made < 0 || write(made, "x", 1) != 1) return errno;
    return error_of(rename(next.c_str(), file().c_str()));
  };
  auto confinement = with({{directory_, replace_files, "test"}});
  confinement.calls.push_back({SYS_rename, "test"});
  EXPECT_EQ(confined(confinement, replace), 0);
  EXPECT_EQ(confined(confinement, [this] { return read_error(file().c_str()); }), EACCES);
  confinement.paths = {{directory_, append_files, "test"}};
  EXPECT_EQ(confined(confinement, replace), EACCES);
  EXPECT_TRUE(std::filesystem::exists(next));
  EXPECT_EQ(confined(confinement, [&] { return error_of(unlink(next.c_str())); }), EACCES);
}

TEST_F(ConfineFiles, OfTcpOnlyPortsThatAreNamedAreReached) {
  if (syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 4) GTEST_SKIP() << "no rules for TCP";
  Confinement confinement = everyday();
  for (const int number : {SYS_socket, SYS_connect, SYS_bind})
    confinement.calls.push_back({number, "test"});
  constexpr std::uint16_t named = 1;  // nobody listens at either
  confinement.ports = {{named, "test"}};
  const auto connecting = [](std::uint16_t port) {
    return [port] { return test::tcp_error(&connect, port); };
  };
  const auto binding = [](std::uint16_t port) {
    return [port] { return test::tcp_error(&bind, port); };
  };
  EXPECT_EQ(confined(confinement, connecting(named)), ECONNREFUSED);
  EXPECT_EQ(confined(confinement, connecting(named + 1)), EACCES);
  EXPECT_EQ(confined(confinement, binding(0)), EACCES);
  confinement.may_use_tcp = true;
  EXPECT_EQ(confined(confinement, connecting(named + 1)), ECONNREFUSED);
  EXPECT_EQ(confined(confinement, binding(0)), 0);
}

TEST_F(ConfineFiles, APathThatDoesNotExistGivesNothing) {
  EXPECT_EQ(confined(with({{"/nowhere", read, "test"}}), [] { return read_error("/etc"); }),
            EACCES);
}

// --- capabilities, memory, threads --------------------------------------------------------------

struct Capabilities {
  std::uint64_t effective, permitted, inheritable;
};

Capabilities capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> data{};
  syscall(SYS_capget, &header, data.data());
  const auto whole = [](std::uint64_t low, std::uint64_t high) { return low | high << 32; };
  return {.effective = whole(data[0].effective, data[1].effective),
          .permitted = whole(data[0].permitted, data[1].permitted),
          .inheritable = whole(data[0].inheritable, data[1].inheritable)};
}

// 0: this thread has no more capabilities than `kept` and can gain none, and opens no file.
int what_is_left(std::uint64_t kept) {
  const auto [effective, permitted, inheritable] = capabilities();
  if (((effective | permitted | inheritable) & ~kept) != 0) return 1;
  if (prctl(PR_GET_NO_NEW_PRIVS, 0UL, 0UL, 0UL, 0UL) != 1) return 2;
  if (has_landlock() && read_error("/etc/passwd") != EACCES) return 3;
  return 0;
}

Confinement that_can_look() {
  Confinement confinement = everyday_and({SYS_openat, "test"});
  for (const int number : {SYS_capget, SYS_prctl, SYS_landlock_create_ruleset, SYS_prlimit64})
    confinement.calls.push_back({number, "test"});
  return confinement;
}

TEST_F(Confine, KeepsOnlyTheCapabilitiesThatItNames) {
  EXPECT_EQ(confined(that_can_look(), [] { return what_is_left(0); }), 0);
  const std::uint64_t had = capabilities().permitted;
  Confinement confinement = that_can_look();
  confinement.capabilities = {{CAP_IPC_LOCK, "test"}};
  constexpr std::uint64_t lock = 1 << CAP_IPC_LOCK;
  EXPECT_EQ(confined(confinement, [] { return what_is_left(lock); }), 0);
  const auto keeps = [had] { return capabilities().effective == (had & lock) ? 0 : 1; };
  EXPECT_EQ(confined(confinement, keeps), 0);
}

TEST_F(Confine, KeepsMemoryPrivate) {
  const auto look = [] {
    rlimit limit{};
    getrlimit(RLIMIT_CORE, &limit);
    return prctl(PR_GET_DUMPABLE, 0UL, 0UL, 0UL, 0UL) == 0 && limit.rlim_max == 0 ? 0 : 1;
  };
  EXPECT_EQ(confined(that_can_look(), look), 0);
}

// Threads are there before, as DPDK's are; only then is the process confined.
int in_a_thread_from_before(const Confinement& confinement, int (*act)(),
                            bool takes_signals = true) {
  const pid_t child = fork();
  if (child == 0) {
    std::array<int, 2> pipe_ends{};
    if (pipe(pipe_ends.data()) != 0) _exit(98);
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    // The thread inherits it.
    pthread_sigmask(SIG_SETMASK, takes_signals ? &none : &all, nullptr);
    int found = 97;
    std::thread worker{[&] {
      char byte = 0;
      while (::read(pipe_ends[0], &byte, 1) < 0) continue;
      found = act();
    }};
    if (!confine(confinement)) _exit(test::not_confined);
    if (::write(pipe_ends[1], "", 1) != 1) _exit(96);
    worker.join();
    _exit(found);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST_F(Confine, ReachesThreadsThatAreThereAlready) {
  EXPECT_EQ(in_a_thread_from_before(that_can_look(), [] { return what_is_left(0); }), 0);
  EXPECT_EQ(in_a_thread_from_before(everyday(), [] { return error_of(syscall(SYS_getppid)); }),
            -SIGSYS);
}

TEST_F(Confine, ThreadsThatTakeNoSignalsAreHeldToTheListAllTheSame) {
  EXPECT_EQ(in_a_thread_from_before(
                everyday(), [] { return error_of(syscall(SYS_getppid)); }, false),
            -SIGSYS);
}

}  // namespace
}  // namespace penstock
