#include "controlplane/shell/outbox.hpp"

#include <sys/socket.h>

#include <array>

#include <gtest/gtest.h>

namespace penstock::controlplane {
namespace {

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() {
    std::array<int, 2> ends{};
    const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
    EXPECT_EQ(::socketpair(AF_UNIX, type, 0, ends.data()), 0);
    ours_.emplace(UniqueFd{ends[0]});
    theirs_.emplace(UniqueFd{ends[1]});
  }

  // A message that says which one it is.
  ipc::SendStatus send(std::uint32_t number) {
    ipc::InstallSession message;
    message.link = number;
    return outbox_.send(*ours_, message);
  }

  // The numbers of what the other end can read now.
  std::vector<std::uint32_t> read() {
    std::vector<std::uint32_t> numbers;
    while (theirs_->receive() == ipc::ReceiveStatus::message)
      numbers.push_back(theirs_->received().as<ipc::InstallSession>()->link);
    return numbers;
  }

  Outbox outbox_;
  std::optional<ipc::Channel> ours_;
  std::optional<ipc::Channel> theirs_;
};

TEST_F(OutboxTest, WhatASocketDoesNotHoldFollowsInOrder) {
  std::uint32_t sent = 0;
  while (send(sent) == ipc::SendStatus::sent) ++sent;
  ++sent;  // it waits
  EXPECT_FALSE(outbox_.is_empty());
  std::vector<std::uint32_t> all = read();
  EXPECT_EQ(send(sent++), ipc::SendStatus::later);  // not before the one that waits
  EXPECT_EQ(outbox_.flush(*ours_), ipc::SendStatus::sent);
  EXPECT_TRUE(outbox_.is_empty());
  for (const std::uint32_t number : read()) all.push_back(number);
  ASSERT_EQ(all.size(), sent);
  for (std::uint32_t number = 0; number < sent; ++number) EXPECT_EQ(all[number], number);
}

TEST_F(OutboxTest, WhoNeverReadsIsGivenUp) {
  ipc::GetStats message;
  std::size_t waiting = 0;
  ipc::SendStatus status = ipc::SendStatus::sent;
  while ((status = outbox_.send(*ours_, message)) != ipc::SendStatus::gone) {
    if (status == ipc::SendStatus::later) ++waiting;
    ASSERT_LE(waiting, Outbox::max_waiting);
  }
  EXPECT_EQ(waiting, Outbox::max_waiting);
}

TEST_F(OutboxTest, WhoLeftIsGone) {
  theirs_.reset();
  EXPECT_EQ(send(1), ipc::SendStatus::gone);
  EXPECT_TRUE(outbox_.is_empty());
}

}  // namespace
}  // namespace penstock::controlplane
