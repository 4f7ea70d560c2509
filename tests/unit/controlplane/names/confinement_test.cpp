// What a lookup of a confined process may still do with TCP: ask name servers, and nobody else.
#include <csignal>

#include <gtest/gtest.h>

#include "tests/unit/base/fixture/confined.hpp"

#include "controlplane/names/lookup.hpp"
#include "controlplane/shell/clerk/service.hpp"

namespace penstock::controlplane::names {
namespace {

constexpr int multipath = 262;  // IPPROTO_MPTCP

int begin_by_sendto(int socket, const sockaddr_in& to) {
  return test::error_of(
      ::sendto(socket, "", 1, MSG_FASTOPEN, reinterpret_cast<const sockaddr*>(&to), sizeof to));
}

int begin_by_message(int socket, sockaddr_in to, int call) {
  iovec text{.iov_base = &to, .iov_len = 1};
  mmsghdr message{};
  message.msg_hdr = {.msg_name = &to,
                     .msg_namelen = sizeof to,
                     .msg_iov = &text,
                     .msg_iovlen = 1,
                     .msg_control = nullptr,
                     .msg_controllen = 0,
                     .msg_flags = 0};
  if (call == SYS_sendmmsg) return test::error_of(::sendmmsg(socket, &message, 1, MSG_FASTOPEN));
  return test::error_of(::sendmsg(socket, &message.msg_hdr, MSG_FASTOPEN));
}

// Landlock's rules for ports hold for connect() alone.
TEST(ConfinedLookup, BeginsNoConnectionBySending) {
  if (!confines_files_and_calls) GTEST_SKIP() << "a sanitizer is built in";
  SiteConfig config;
  config.state_dir = testing::TempDir();
  const Confinement confinement = clerk::confinement_of(config);
  const auto begin = [&](const auto& way) {
    return test::confined(confinement, [&way] {
      if (!keep_to_names()) return test::not_confined;
      const int made = ::socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = htons(1);  // nobody listens there
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      return made < 0 ? errno : way(made, to);
    });
  };
  EXPECT_EQ(begin(begin_by_sendto), -SIGSYS);
  for (const int call : {SYS_sendmsg, SYS_sendmmsg})
    EXPECT_EQ(begin([call](int made, const auto& to) { return begin_by_message(made, to, call); }),
              -SIGSYS)
        << call;
  const auto make = [] { return test::error_of(::socket(AF_INET, SOCK_STREAM, multipath)); };
  EXPECT_EQ(test::confined(confinement, make), -SIGSYS);
}

}  // namespace
}  // namespace penstock::controlplane::names
