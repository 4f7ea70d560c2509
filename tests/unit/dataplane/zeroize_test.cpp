// All keys wiped by order: nothing is finished, nothing delivered, and nothing is left.
#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>
#include <rte_mempool.h>

#include "penstock/keys/secret.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane::test {
namespace {

using namespace std::chrono_literals;

class Zeroize : public testing::Test {
 protected:
  // As the main core does on the order, and with what comes back.
  std::vector<ipc::RemovalReason> zeroize(TestSite& site) {
    site.command({.kind = Command::Kind::zeroize});
    static_cast<void>(site.notes());
    site.worker->turn(pair.now);
    std::vector<ipc::RemovalReason> reasons;
    for (const Note& note : site.notes()) {
      if (note.kind != Note::Kind::returned) continue;
      reasons.push_back(note.reason);
      site.directory->erase(*SessionDirectory::find(*note.session));
    }
    return reasons;
  }

  TestPair pair{{.hold = 1s}};
};

TEST_F(Zeroize, EndsSessionsOfEveryState) {
  const std::size_t without = secret_memory::usage().bytes_in_use;
  pair.connect(1);
  pair.connect(2);  // the first retires
  pair.a.install(make_session(3), pair.now);
  pair.a.worker->turn(pair.now);
  EXPECT_EQ(zeroize(pair.a), std::vector(3, ipc::RemovalReason::zeroized));
  EXPECT_EQ(zeroize(pair.b), std::vector(2, ipc::RemovalReason::zeroized));
  EXPECT_TRUE(pair.a.directory->all().empty());
  EXPECT_EQ(secret_memory::usage().bytes_in_use, without);
}

TEST_F(Zeroize, AnOpenFrameIsWipedAndNotSent) {
  pair.connect();
  const auto packet = make_packet(200);
  pair.a.plain.incoming.push_back({.bytes = packet});
  pair.a.worker->turn(pair.now);
  const OutboundSa& sa = pair.a.outbound(*pair.session_a);
  ASSERT_NE(sa.open, nullptr);
  const std::byte* const frame = frame_in(sa.open);
  const std::size_t size = sa.shape().size;
  const auto holds_packet = [&] {
    return memmem(frame, size, packet.data(), packet.size()) != nullptr;
  };
  ASSERT_TRUE(holds_packet());  // the control
  zeroize(pair.a);
  EXPECT_TRUE(pair.a.wire.sent.empty());
  EXPECT_FALSE(holds_packet());
  EXPECT_EQ(pair.a.count()[DropReason::wiped_frame], 1u);
  expect_balanced(pair);
}

// Looks for the packet in every buffer of the pool, free ones too.
bool pool_holds(rte_mempool* pool, const std::vector<std::byte>& packet) {
  struct Search {
    const std::vector<std::byte>& packet;
    bool is_found = false;
  } search{packet};
  rte_mempool_obj_iter(
      pool,
      [](rte_mempool*, void* to, void* object, unsigned) {
        auto& found = *static_cast<Search*>(to);
        const auto* const buffer = static_cast<rte_mbuf*>(object);
        found.is_found |= memmem(buffer->buf_addr, buffer->buf_len, found.packet.data(),
                                 found.packet.size()) != nullptr;
      },
      &search);
  return search.is_found;
}

TEST_F(Zeroize, FramesThatWaitForOthersAreWipedAndNotDelivered) {
  pair.a.hold = Time{};
  pair.connect();
  pair.a.plain.incoming.push_back({.bytes = make_packet(200)});
  pair.a.worker->turn(pair.now);
  pair.a.wire.sent.clear();  // lost: the next one waits for it
  const auto packet = make_packet(200);
  pair.a.plain.incoming.push_back({.bytes = packet});
  pair.a.worker->turn(pair.now);
  pair.carry();
  pair.b.worker->turn(pair.now);
  ASSERT_TRUE(pair.b.inbound(*pair.session_b).reassembler.has_gap());
  ASSERT_TRUE(pool_holds(pair.b.frames.get(), packet));  // the control
  zeroize(pair.b);
  EXPECT_TRUE(pair.b.plain.sent.empty());
  EXPECT_FALSE(pool_holds(pair.b.frames.get(), packet));
  EXPECT_EQ(pair.b.count()[DropReason::wiped_frame], 1u);
  EXPECT_EQ(pair.b.worker->held().held, 0u);
  expect_balanced(pair);
}

TEST_F(Zeroize, NothingLeavesOrArrivesBehindIt) {
  pair.connect();
  zeroize(pair.a);
  pair.a.plain.incoming.push_back({.bytes = make_packet(100)});
  pair.run();
  EXPECT_EQ(pair.a.count()[DropReason::no_session], 1u);
  EXPECT_TRUE(pair.a.wire.sent.empty());
  EXPECT_TRUE(pair.b.plain.sent.empty());
  pair.connect(5);  // and it goes on from there
}

}  // namespace
}  // namespace penstock::dataplane::test
