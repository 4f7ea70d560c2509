// The two directions of a connection over socket pairs, turn by turn in one thread.
#include <algorithm>
#include <array>
#include <csignal>
#include <optional>

#include "tests/unit/controlplane/pipe/sockets.hpp"

#include "controlplane/pipe/batch.hpp"
#include "controlplane/pipe/open_flow.hpp"
#include "controlplane/pipe/seal_flow.hpp"

namespace penstock::controlplane::pipe {
namespace {

crypto::PipeDirectionKeys direction_keys() {
  const std::array<std::byte, 256> shared{};
  const crypto::Nonce nonce{};
  return std::move(crypto::derive_pipe_session_keys(file_key(), nonce, nonce, shared).client);
}

class Flows : public testing::Test {
 protected:
  explicit Flows(bool small = false) : plain(small), wire(small), out(small) {}

  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    engine.emplace(PipeEngine::create(plan()).value());
    seal_keys.emplace(engine->expand(direction_keys()));
    open_keys.emplace(engine->expand(direction_keys()));
    plain_in = Source{plain.near.get(), true};
    sealed_out = Sink{wire.near.get()};
    sealed_in = Source{wire.far.get(), true};
    plain_out = Sink{out.near.get()};
  }

  Flow seal_turn() {
    plain_in.ready(true);
    sealed_out.ready();
    return seal.move(plain_in, sealed_out, *seal_keys, {*engine, batches});
  }
  Flow open_turn() {
    sealed_in.ready(true);
    plain_out.ready();
    return open.move(sealed_in, plain_out, *open_keys, {*engine, batches});
  }
  ByteVector taken() {
    ByteVector bytes(300'000);
    const ssize_t got = ::read(out.far.get(), bytes.data(), bytes.size());
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }

  // All of `text` through both directions, and then the end.
  ByteVector through(ByteVector text) {
    ByteVector arrived;
    Bytes left{text};
    bool is_sealed = false;
    for (unsigned turn = 0; turn < 100'000; ++turn) {
      if (!left.empty()) {
        const ssize_t put = ::write(plain.far.get(), left.data(), left.size());
        if (put > 0) left = left.subspan(static_cast<std::size_t>(put));
      }
      if (left.empty()) ::shutdown(plain.far.get(), SHUT_WR);
      if (!is_sealed) is_sealed = seal_turn() == Flow::closed;
      const Flow opened = open_turn();
      for (ByteVector bytes = taken(); !bytes.empty(); bytes = taken()) {
        arrived.insert(arrived.end(), bytes.begin(), bytes.end());
      }
      if (opened == Flow::closed) return arrived;
      EXPECT_TRUE(opened == Flow::waiting || opened == Flow::again);
    }
    ADD_FAILURE() << "no end";
    return arrived;
  }
  // `count` packets of 10 bytes each, sealed.
  ByteVector packets(unsigned count) {
    ByteVector sealed;
    for (unsigned i = 0; i < count; ++i) {
      write_bytes(plain.far.get(), pattern(10, i + 1));
      EXPECT_EQ(seal_turn(), Flow::waiting);
      const ByteVector one = read_bytes(wire.far.get(), pipe_packet::size);
      sealed.insert(sealed.end(), one.begin(), one.end());
    }
    return sealed;
  }

  SocketPair plain;
  SocketPair wire;
  SocketPair out;
  std::optional<PipeEngine> engine;
  std::optional<PipeKeys> seal_keys;
  std::optional<PipeKeys> open_keys;
  BatchPool batches;
  Source plain_in;
  Sink sealed_out;
  Source sealed_in;
  Sink plain_out;
  SealFlow seal;
  OpenFlow open;
};

class SmallFlows : public Flows {
 protected:
  SmallFlows() : Flows(true) {}
};

TEST_F(Flows, CarryNothingAndItsEnd) { EXPECT_TRUE(through({}).empty()); }

class SizesThroughFlows : public SmallFlows, public testing::WithParamInterface<std::size_t> {};
TEST_P(SizesThroughFlows, ArriveAsTheyWere) {
  const ByteVector text = pattern(GetParam());
  EXPECT_EQ(through(text), text);
}
INSTANTIATE_TEST_SUITE_P(Flows, SizesThroughFlows,
                         testing::Values(1, 1023, 1024, 1025, 2048, 4097, 65'535, 65'536, 65'537,
                                         131'073, 200'000));

TEST_F(Flows, CarryManyBatchesThroughWideSockets) {
  const ByteVector text = pattern(2'000'000);
  EXPECT_EQ(through(text), text);
}

TEST_F(Flows, PassTextOnBeforeABadPacketAndRefuseIt) {
  constexpr unsigned count = 5;
  for (unsigned bad = 0; bad < count; ++bad) {
    SetUp();
    open = OpenFlow{};
    ByteVector sealed = packets(count);
    sealed[bad * pipe_packet::size + 7] ^= std::byte{1};
    write_bytes(wire.near.get(), sealed);
    EXPECT_EQ(open_turn(), Flow::bad_packet);
    ByteVector good;
    for (unsigned i = 0; i < bad; ++i) {
      const ByteVector text = pattern(10, i + 1);
      good.insert(good.end(), text.begin(), text.end());
    }
    EXPECT_EQ(taken(), good);
  }
}

TEST_F(Flows, OpenPacketsThatComeInPieces) {
  const ByteVector sealed = packets(3);
  ByteVector arrived;
  for (std::size_t at = 0; at < sealed.size(); at += 37) {
    write_bytes(wire.near.get(),
                Bytes{sealed}.subspan(at).first(std::min<std::size_t>(37, sealed.size() - at)));
    EXPECT_EQ(open_turn(), Flow::waiting);
    const ByteVector text = taken();
    arrived.insert(arrived.end(), text.begin(), text.end());
  }
  EXPECT_EQ(arrived.size(), 30U);
}

TEST_F(Flows, RefuseAnEndInsideAPacket) {
  for (const std::size_t cut : {std::size_t{1}, pipe_packet::size - 1, pipe_packet::size + 1}) {
    SetUp();
    open = OpenFlow{};
    SocketPair fresh;
    sealed_in = Source{fresh.far.get(), true};
    const ByteVector sealed = packets(2);
    write_bytes(fresh.near.get(), Bytes{sealed}.first(cut));
    ::shutdown(fresh.near.get(), SHUT_WR);
    EXPECT_EQ(open_turn(), Flow::cut_packet);
    EXPECT_EQ(taken().size(), cut / pipe_packet::size * 10);
  }
}

// Whoever does not take costs one batch, and nothing more is read from the other side.
TEST_F(SmallFlows, StopReadingWhereNobodyTakes) {
  const ByteVector text = pattern(1'000'000);
  std::size_t taken_in = 0;
  for (unsigned turn = 0; turn < 1000; ++turn) {
    const ssize_t put = ::write(plain.far.get(), text.data(), text.size());
    if (put > 0) taken_in += static_cast<std::size_t>(put);
    (void)seal_turn();
  }
  EXPECT_LT(taken_in, 100'000U);
}

TEST_F(SmallFlows, WipeABatchThatComesBack) {
  const auto is_zero = [](std::byte byte) { return byte == std::byte{0}; };
  ByteVector text(1000, std::byte{0x55});
  std::ranges::copy(text, batches.hand().bytes.begin());
  batches.holds_text(text.size());
  batches.wipe();
  EXPECT_TRUE(std::ranges::all_of(std::span{batches.hand().bytes}.first(text.size()), is_zero));
  auto lent = batches.lend(0);
  std::ranges::copy(text, lent->bytes.begin() + 60'000);
  batches.give_back(std::move(lent));
  EXPECT_TRUE(std::ranges::all_of(batches.hand().bytes, is_zero));
}

// A connection may keep it for as long as nobody takes its own text.
TEST_F(Flows, LendNoTextOfOthers) {
  const ByteVector text(1000, std::byte{0x55});
  std::ranges::copy(text, batches.hand().bytes.begin());
  batches.holds_text(text.size());
  const auto lent = batches.lend(400);
  EXPECT_EQ(std::ranges::count(lent->bytes, std::byte{0x55}), 400);
  EXPECT_EQ(lent->bytes[399], std::byte{0x55});
}

TEST_F(Flows, SayWhichSocketBroke) {
  plain.far.reset();  // with nothing unread: an end
  EXPECT_EQ(seal_turn(), Flow::closed);
  SetUp();
  SocketPair fresh;
  plain_in = Source{fresh.near.get(), true};
  wire.far.reset();
  write_bytes(fresh.far.get(), pattern(10));
  EXPECT_EQ(seal_turn(), Flow::broken_to);
}

}  // namespace
}  // namespace penstock::controlplane::pipe
