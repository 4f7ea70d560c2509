// Whole frames as another implementation sealed them (tests/vectors/crypto/make_frames.py).
#include <algorithm>
#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

#include "every_engine.hpp"
#include "penstock/crypto/primitives.hpp"
#include "test_sa.hpp"
#include "vectors.hpp"

namespace penstock::crypto {
namespace {

Frame clear_frame_of(FrameShape shape) {
  Frame frame(shape.size);
  for (std::size_t i = 0; i < shape.plaintext(); ++i)
    frame[frame_layout::header + i] = static_cast<std::byte>(7 * i + i / 256);
  return frame;
}

TestSa sa_of(const FrameEngine& engine, Record& record) {
  TestSa sa{engine,
            static_cast<Protection>(record["protection"][0]),
            {.size = load_be16(record["size"].data()), .tag = load_u8(record["tag"].data())},
            EncryptKey{fixed<32>(record["encrypt"])},
            MacKey{fixed<48>(record["mac"])},
            {load_be32(record["spi"].data())}};
  sa.sealer.skip_to({load_be64(record["sequence"].data())});
  return sa;
}

void expect_as_recorded(const Frame& frame, Record& record) {
  const bool is_whole = record.contains("frame");
  EXPECT_EQ(is_whole ? to_hex(frame) : to_hex(sha256({frame})),
            to_hex(record[is_whole ? "frame" : "frame_sha256"]));
}

class RecordedFrames : public EveryEngine {};

INSTANTIATE_TEST_SUITE_P(On, RecordedFrames, testing::ValuesIn(engine_variants), variant_name);

TEST_P(RecordedFrames, AreSealedAndOpenedAlike) {
  std::vector<Record> records = read_vectors("crypto/frames.txt");
  std::vector<TestSa> sas;
  std::vector<Frame> frames;
  sas.reserve(records.size());
  frames.reserve(records.size());
  std::vector<SealJob> to_seal;
  std::vector<OpenJob> to_open;
  for (Record& record : records) {
    sas.push_back(sa_of(engine(), record));
    frames.push_back(clear_frame_of(sas.back().shape));
    to_seal.push_back({.keys = &sas.back().sealer, .frame = frames.back().data()});
    to_open.push_back({.keys = &sas.back().opener, .frame = frames.back().data()});
  }
  engine().seal(to_seal);
  for (std::size_t i = 0; i < records.size(); ++i) {
    SCOPED_TRACE(testing::Message() << "record " << i << ", " << to_string(sas[i].protection));
    expect_as_recorded(frames[i], records[i]);
  }
  engine().open(to_open);
  for (std::size_t i = 0; i < records.size(); ++i) {
    SCOPED_TRACE(testing::Message() << "record " << i << ", " << to_string(sas[i].protection));
    const Frame clear = clear_frame_of(sas[i].shape);
    EXPECT_TRUE(is_same(to_open[i].plaintext, sas[i].text_of(clear)));
  }
}

TEST(Records, AreOfEveryProtection) {
  std::vector<Record> records = read_vectors("crypto/frames.txt");
  for (const ProtectionTraits& kind : protections)
    EXPECT_GE(std::ranges::count(records, ByteVector{static_cast<std::byte>(kind.protection)},
                                 [](Record& record) { return record["protection"]; }),
              6)
        << kind.name;
}

}  // namespace
}  // namespace penstock::crypto
