// The keys of a link that say how its frames are timed, sized and marked.
#include <gtest/gtest.h>

#include "site_file.hpp"

namespace penstock {
namespace {

using namespace std::chrono_literals;

class ShapeFile : public SiteFile {
 protected:
  // The link with these lines before its other keys, the first of them on line 9.
  Result<SiteConfig> with(const std::string& lines) {
    return load_with("peer =", lines + "\npeer =");
  }
  LinkConfig link(const std::string& lines) {
    const auto config = with(lines);
    EXPECT_TRUE(config) << config.error().message;
    return config ? config->links[0] : LinkConfig{};
  }
  // The key and the sentence.
  std::string refused(const std::string& lines) {
    const std::string text = refusal(with(lines));
    const std::size_t line = text.find(": ");
    return line == text.npos ? text : text.substr(line + 2);
  }
};

constexpr Rate bits(std::uint64_t rate) { return {rate, Rate::Unit::bits}; }
constexpr Rate frames(std::uint64_t rate) { return {rate, Rate::Unit::frames}; }

TEST_F(ShapeFile, burst_is_what_a_link_does_unless_told) {
  const LinkConfig said = link(R"(shape = { mode = "burst" })");
  const LinkConfig unsaid = link("");
  EXPECT_EQ(said.shape, Shape{});
  EXPECT_EQ(unsaid, said);
  EXPECT_FALSE(said.shape.is_paced());
  EXPECT_EQ(said.priority, PriorityBy::dscp);
  EXPECT_EQ(said.dscp, 0);
  EXPECT_FALSE(said.copies_dscp);
  EXPECT_FALSE(said.ecn);
  EXPECT_FALSE(said.mtu);
  EXPECT_FALSE(said.finds_mtu);
}

TEST_F(ShapeFile, constant_has_a_rate) {
  const LinkConfig by_bits = link(R"(shape = { mode = "constant", rate = "1Gbit" })");
  EXPECT_EQ(by_bits.shape.mode, ShapeMode::constant);
  EXPECT_EQ(by_bits.shape.rate, bits(1'000'000'000));
  EXPECT_EQ(by_bits.shape.queue, 50ms);
  EXPECT_FALSE(by_bits.shape.adapt);
  EXPECT_TRUE(by_bits.shape.is_paced());
  const LinkConfig by_frames = link(
      R"(shape = { mode = "constant", rate = "20000fps", queue = "20ms", adapt = true, least = "10fps" })");
  EXPECT_EQ(by_frames.shape.rate, frames(20'000));
  EXPECT_EQ(by_frames.shape.queue, 20ms);
  EXPECT_TRUE(by_frames.shape.adapt);
  EXPECT_EQ(by_frames.shape.least, frames(10));
}

TEST_F(ShapeFile, quantized_has_steps) {
  const LinkConfig config =
      link(R"(shape = { mode = "quantized", steps = ["500kbit", "10Mbit", "100Mbit"] })");
  EXPECT_EQ(config.shape.mode, ShapeMode::quantized);
  EXPECT_EQ(config.shape.steps, (std::vector{bits(500'000), bits(10'000'000), bits(100'000'000)}));
  EXPECT_EQ(config.shape.dwell, 10s);
  EXPECT_FALSE(config.shape.rate);
  EXPECT_EQ(link(R"(shape = { mode = "quantized", steps = ["1fps", "2fps"], dwell = "1min" })")
                .shape.dwell,
            1min);
}

TEST_F(ShapeFile, burst_may_have_a_cap) {
  const LinkConfig config = link(R"(shape = { mode = "burst", rate = "50Mbit" })");
  EXPECT_EQ(config.shape.mode, ShapeMode::burst);
  EXPECT_TRUE(config.shape.is_paced());
  EXPECT_EQ(config.shape.queue, 50ms);
  EXPECT_EQ(link("hold = \"20us\"\nshape = { mode = \"burst\", rate = \"50Mbit\" }").hold, 20us);
}

TEST_F(ShapeFile, the_other_keys_are_read) {
  const LinkConfig config = link("priority = \"vlan\"\ndscp = 46\nmtu = 1400\necn = true\n"
                                 "shape = { mode = \"constant\", rate = \"1Mbit\", adapt = true }");
  EXPECT_EQ(config.priority, PriorityBy::vlan);
  EXPECT_EQ(config.dscp, 46);
  EXPECT_EQ(config.mtu, 1400);
  EXPECT_TRUE(config.ecn);
  const LinkConfig other = link("priority = \"none\"\ndscp = \"copy\"\nmtu = \"auto\"");
  EXPECT_EQ(other.priority, PriorityBy::none);
  EXPECT_TRUE(other.copies_dscp);
  EXPECT_TRUE(other.finds_mtu);
  EXPECT_TRUE(
      link("mtu = \"auto\"\nshape = { mode = \"constant\", rate = \"1Mbit\", probes = true }")
          .finds_mtu);
}

TEST_F(ShapeFile, it_is_described) {
  const auto described = [&](const std::string& shape) {
    return describe(link("shape = { " + shape + " }").shape);
  };
  EXPECT_EQ(described(R"(mode = "burst")"), "burst: frames leave when there is something to say");
  EXPECT_EQ(described(R"(mode = "burst", rate = "50Mbit")"),
            "burst, at most 50Mbit; packets wait at most 50ms");
  EXPECT_EQ(described(R"(mode = "constant", rate = "1500fps", queue = "2s")"),
            "constant, 1500fps; packets wait at most 2s");
  EXPECT_EQ(described(R"(mode = "constant", rate = "2500Mbit", adapt = true, least = "1Gbit")"),
            "constant, 2500Mbit; slower while the path is congested, down to 1Gbit; packets wait "
            "at most 50ms");
  EXPECT_EQ(described(R"(mode = "quantized", steps = ["500kbit", "10Mbit"], adapt = true)"),
            "quantized, 500kbit or 10Mbit, each for at least 10s; slower while the path is "
            "congested, down to a tenth; packets wait at most 50ms");
}

TEST_F(ShapeFile, a_mode_without_what_it_needs_is_refused) {
  EXPECT_EQ(
      refused(R"(shape = "constant")"),
      "link.shape: this must be a table, such as { mode = \"constant\", rate = \"100Mbit\" }");
  EXPECT_EQ(
      refused(R"(shape = { rate = "1Gbit" })"),
      "link.shape.mode: say when frames leave: mode = \"burst\", \"constant\" or \"quantized\"");
  EXPECT_EQ(refused(R"(shape = { mode = "steady" })"),
            "link.shape.mode: \"steady\" is not a mode: \"burst\", \"constant\" or \"quantized\"");
  EXPECT_EQ(refused(R"(shape = { mode = "constant" })"),
            "link.shape.rate: mode \"constant\" needs the rate at which its frames leave, such as "
            "rate = \"100Mbit\"");
  EXPECT_EQ(refused(R"(shape = { mode = "burst", rat = "1Gbit" })"),
            "link.shape.rat: this key is unknown; did you mean \"rate\"?");
}

TEST_F(ShapeFile, an_absurd_rate_is_refused) {
  const auto constant = [&](const std::string& rate) {
    return refused(R"(shape = { mode = "constant", rate = ")" + rate + "\" }");
  };
  EXPECT_EQ(constant("fast"),
            "link.shape.rate: \"fast\" is not a rate such as \"500kbit\", \"100Mbit\", \"1Gbit\" "
            "or \"20000fps\" (frames a second)");
  EXPECT_TRUE(constant("1.5Gbit").starts_with("link.shape.rate: \"1.5Gbit\" is not a rate"));
  EXPECT_TRUE(constant("1GB").starts_with("link.shape.rate: \"1GB\" is not a rate"));
  EXPECT_TRUE(constant("99999999999999999999bit").starts_with("link.shape.rate: \"9999"));
  EXPECT_TRUE(constant("99999999999Gbit").starts_with("link.shape.rate: \"9999"));
  EXPECT_EQ(constant("99kbit"), "link.shape.rate: a rate must be from \"100kbit\" to \"100Gbit\"");
  EXPECT_EQ(constant("101Gbit"), "link.shape.rate: a rate must be from \"100kbit\" to \"100Gbit\"");
  EXPECT_EQ(constant("0fps"), "link.shape.rate: a rate must be from \"1fps\" to \"10000000fps\"");
}

TEST_F(ShapeFile, steps_that_are_none_are_refused) {
  const auto steps = [&](const std::string& list) {
    return refused("shape = { mode = \"quantized\", steps = " + list + " }");
  };
  const std::string too_few_or_many =
      "link.shape.steps: mode \"quantized\" needs 2 to 8 rates to move between, such as "
      "[\"10Mbit\", \"100Mbit\"]";
  EXPECT_EQ(refused(R"(shape = { mode = "quantized" })"), too_few_or_many);
  EXPECT_EQ(steps(R"(["10Mbit"])"), too_few_or_many);
  EXPECT_EQ(steps(R"(["1fps","2fps","3fps","4fps","5fps","6fps","7fps","8fps","9fps"])"),
            too_few_or_many);
  EXPECT_EQ(steps(R"(["10Mbit", "10Mbit"])"),
            "link.shape.steps: write the slowest first, and each one faster than the one before");
  EXPECT_EQ(steps(R"(["10Mbit", "100fps"])"),
            "link.shape.steps: write all steps in bits, or all in frames a second");
  EXPECT_TRUE(steps(R"(["10Mbit", "soon"])").starts_with("link.shape.steps: \"soon\" is not"));
  EXPECT_EQ(steps(R"(["10kbit", "10Mbit"])"),
            "link.shape.steps: a rate must be from \"100kbit\" to \"100Gbit\"");
}

TEST_F(ShapeFile, a_key_of_another_mode_is_refused) {
  EXPECT_EQ(refused(R"(shape = { mode = "quantized", steps = ["1fps", "2fps"], rate = "1fps" })"),
            "link.shape.rate: mode \"quantized\" has no single rate; its rates are `steps`");
  EXPECT_EQ(refused(R"(shape = { mode = "constant", rate = "1fps", steps = ["1fps", "2fps"] })"),
            "link.shape.steps: only mode \"quantized\" moves between steps; write a rate");
  EXPECT_EQ(refused(R"(shape = { mode = "constant", rate = "1fps", dwell = "10s" })"),
            "link.shape.dwell: only mode \"quantized\" moves between steps; take this out");
  EXPECT_EQ(refused(R"(shape = { mode = "burst", queue = "10ms" })"),
            "link.shape.queue: nothing waits on a link without a rate; add a rate, or take this "
            "out");
  EXPECT_EQ(refused(R"(shape = { mode = "burst", rate = "1Mbit", adapt = true })"),
            "link.shape.adapt: only frames that leave whatever happens must heed congestion; in "
            "mode \"burst\" the traffic inside does that itself; take this out");
  EXPECT_EQ(refused(R"(shape = { mode = "burst", probes = true })"),
            "link.shape.probes: in mode \"burst\" the probes of mtu = \"auto\" need no leave; take "
            "this out");
  EXPECT_EQ(refused("hold = \"20us\"\nshape = { mode = \"constant\", rate = \"1Mbit\" }"),
            "link.hold: this link's frames leave with its clock and wait for nothing else; take "
            "this out");
}

TEST_F(ShapeFile, a_time_out_of_range_is_refused) {
  EXPECT_EQ(refused(R"(shape = { mode = "constant", rate = "1Mbit", queue = "6s" })"),
            "link.shape.queue: this must be a duration from \"1ms\" to \"5s\"");
  EXPECT_EQ(refused(R"(shape = { mode = "quantized", steps = ["1fps", "2fps"], dwell = "1ms" })"),
            "link.shape.dwell: this must be a duration from \"100ms\" to \"1h\"");
  EXPECT_EQ(refused(R"(shape = { mode = "constant", rate = "1Mbit", queue = "long" })"),
            "link.shape.queue: \"long\" is not a duration such as \"50ms\" or \"10s\"");
}

TEST_F(ShapeFile, what_adapt_goes_down_to_fits_the_rate) {
  const auto with_least = [&](const std::string& least, const std::string& adapt) {
    return refused("shape = { mode = \"constant\", rate = \"10Mbit\", least = \"" + least +
                   "\", adapt = " + adapt + " }");
  };
  EXPECT_EQ(with_least("1Mbit", "true"), "accepted");
  EXPECT_EQ(with_least("1Mbit", "false"),
            "link.shape.least: this is how far adapt = true may slow the link; add that, or take "
            "this out");
  EXPECT_EQ(with_least("11Mbit", "true"),
            "link.shape.least: this must not be more than the link's rate, 10Mbit");
  EXPECT_EQ(with_least("10fps", "true"),
            "link.shape.least: write this in the unit of the link's rate, bits or frames a second");
}

TEST_F(ShapeFile, what_would_show_the_inside_of_a_timed_link_is_refused) {
  const std::string constant = "\nshape = { mode = \"constant\", rate = \"1Mbit\" }";
  EXPECT_EQ(refused("dscp = \"copy\"" + constant),
            "link.dscp: \"copy\" would show outside what is inside, which this link's mode is "
            "there to hide; write a number");
  EXPECT_EQ(refused("mtu = \"auto\"" + constant),
            "link.mtu: the probes of mtu = \"auto\" stand outside the rhythm of this link, where "
            "an observer sees them; write the path's MTU as a number, or allow them with probes = "
            "true in shape");
  EXPECT_EQ(refused("shape = { mode = \"constant\", rate = \"1Mbit\", probes = true }"),
            "link.shape.probes: only mtu = \"auto\" sends probes; add that, or take this out");
  EXPECT_EQ(link("dscp = \"copy\"\nshape = { mode = \"burst\", rate = \"1Mbit\" }").copies_dscp,
            true);
}

TEST_F(ShapeFile, marks_and_sizes_out_of_range_are_refused) {
  EXPECT_EQ(refused("dscp = 64"), "link.dscp: this must be a whole number from 0 to 63");
  EXPECT_EQ(
      refused("dscp = \"EF\""),
      "link.dscp: \"EF\" is not \"copy\", or a number from 0 to 63 without quotes (EF is 46)");
  EXPECT_EQ(refused("mtu = 9217"), "link.mtu: this must be a whole number from 1 to 9216");
  EXPECT_EQ(refused("mtu = \"big\""),
            "link.mtu: \"big\" is not \"auto\", or a number without quotes");
  EXPECT_EQ(refused("mtu = \"auto\"\nframe_size = 1400"),
            "link.mtu: mtu and frame_size both say how large a frame is; keep one of them");
  EXPECT_EQ(refused("priority = \"me\""),
            "link.priority: \"me\" is not \"dscp\", \"vlan\" or \"none\"");
  EXPECT_EQ(refused("ecn = true"),
            "link.ecn: ecn needs mode \"constant\" or \"quantized\" with adapt = true in shape; in "
            "mode \"burst\" frames heed no marks, so take this out");
  EXPECT_EQ(refused("ecn = true\nshape = { mode = \"constant\", rate = \"1Mbit\" }"),
            "link.ecn: a router that marks frames instead of dropping them counts on a sender "
            "that slows down; add adapt = true to shape, or take this out");
}

TEST_F(ShapeFile, an_mtu_that_no_handshake_passes_is_refused) {
  EXPECT_EQ(link("mtu = 1052").mtu, 1052);
  EXPECT_EQ(
      refused("mtu = 1051"),
      "link.mtu: handshake messages are IP packets of 1052 bytes over IPv4, and the path must "
      "carry them; write 1052 or more");
  std::string text{good};
  for (const auto& [from, to] :
       {std::pair{"192.0.2.1/24", "2001:db8::1/64"},
        {"endpoint = \"192.0.2.2\"", "endpoint = \"far.example\"\nmtu = 1071"}})
    text.replace(text.find(from), std::string_view{from}.size(), to);
  EXPECT_TRUE(refusal(load(text))
                  .ends_with("link.mtu: handshake messages are IP packets of 1072 bytes over IPv6, "
                             "and the path must carry "
                             "them; write 1072 or more"));
}

TEST_F(ShapeFile, a_priority_without_a_queue_is_refused) {
  const std::string refusal = "link.priority: nothing waits on a link without a rate; add a rate "
                              "to shape, or take this out";
  EXPECT_EQ(refused("priority = \"vlan\""), refusal);
  EXPECT_EQ(refused("priority = \"dscp\"\nshape = { mode = \"burst\" }"), refusal);
  EXPECT_EQ(refused("priority = \"none\""), "accepted");
  EXPECT_EQ(refused("priority = \"vlan\"\nshape = { mode = \"burst\", rate = \"1Mbit\" }"),
            "accepted");
}

}  // namespace
}  // namespace penstock
