#include "penstock/ipc/packing.hpp"

#include <gtest/gtest.h>

namespace penstock {
namespace {

std::uint64_t& at(Counters& counters, Counter counter) {
  return counters.values[static_cast<std::size_t>(counter)];
}

TEST(Packing, is_unknown_while_nothing_was_sealed) {
  const Packing packing = packing_of({});
  EXPECT_FALSE(packing.fill);
  EXPECT_FALSE(packing.packets);
  EXPECT_FALSE(packing.packets_a_frame);
}

TEST(Packing, counts_dummies_as_room_but_not_as_frames_of_packets) {
  Counters counters;
  at(counters, Counter::packed) = 60;
  at(counters, Counter::packed_bytes) = 2400;
  at(counters, Counter::payload_bytes) = 3000;
  at(counters, Counter::padding_bytes) = 1000;
  at(counters, Counter::frames_sealed) = 5;
  at(counters, Counter::dummy_frames) = 2;
  const Packing packing = packing_of(counters);
  EXPECT_DOUBLE_EQ(packing.fill.value(), 0.75);
  EXPECT_DOUBLE_EQ(packing.packets.value(), 0.6);
  EXPECT_DOUBLE_EQ(packing.packets_a_frame.value(), 20);
}

TEST(Packing, of_dummies_alone_has_no_packets_a_frame) {
  Counters counters;
  at(counters, Counter::padding_bytes) = 1000;
  at(counters, Counter::frames_sealed) = at(counters, Counter::dummy_frames) = 1;
  EXPECT_DOUBLE_EQ(packing_of(counters).fill.value(), 0);
  EXPECT_FALSE(packing_of(counters).packets_a_frame);
}

}  // namespace
}  // namespace penstock
