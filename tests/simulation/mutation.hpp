// What a run can be made to do wrong on purpose, in the simulation's own glue, to prove that the
// checker sees it: one for each invariant.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace penstock::simulation {

enum class Mutation : std::uint8_t {
  none,
  repeats_a_number,      // a site sends the same frame twice
  repeats_a_key,         // a second session with the keys of the first
  forges_a_delivery,     // a packet that nobody sent
  alters_a_delivery,     // a packet with one bit changed
  doubles_a_delivery,    // a packet twice
  swaps_deliveries,      // two packets of a flow change places
  unbalances_a_book,     // a packet that is not counted
  leaks_in_the_clear,    // a plain packet leaves by the wire
  stays_cut,             // the wire never heals
  outlives_its_age,      // a data plane that does not know max_age
  two_current,           // a link with two current sessions
  loses_while_calm,      // a frame is lost where the wire claims to lose none
  leaves_between_ticks,  // a frame of a link with a rhythm leaves after its tick
  makes_up,              // a tick that was missed is made up at the next
  exceeds_its_rate,      // a link is faster than was agreed
  sends_anothers_lane,   // a worker sends a frame of another worker's lane
  loses_a_confirm,       // a worker is not told what another heard
  count_,
};

struct MutationInfo {
  std::string_view name;
  std::string_view invariant;  // the one that must catch it
};

inline constexpr std::array<MutationInfo, static_cast<std::size_t>(Mutation::count_)> mutations{{
    {"none", ""},
    {"repeats-a-number", "number used twice"},
    {"repeats-a-key", "key installed twice"},
    {"forges-a-delivery", "delivered but never sent"},
    {"alters-a-delivery", "delivered altered"},
    {"doubles-a-delivery", "delivered twice"},
    {"swaps-deliveries", "order of a flow"},
    {"unbalances-a-book", "balanced books"},
    {"leaks-in-the-clear", "nothing in the clear"},
    {"stays-cut", "never stuck"},
    {"outlives-its-age", "no session past its age"},
    {"two-current", "one current session"},
    {"loses-while-calm", "a calm wire loses nothing"},
    {"leaves-between-ticks", "one frame a tick"},
    {"makes-up", "one frame a tick"},
    {"exceeds-its-rate", "rate of a link"},
    {"sends-anothers-lane", "one lane a worker"},
    {"loses-a-confirm", "workers agree"},
}};

[[nodiscard]] constexpr const MutationInfo& info(Mutation mutation) {
  return mutations[static_cast<std::size_t>(mutation)];
}

[[nodiscard]] constexpr std::optional<Mutation> mutation_from(std::string_view name) {
  for (std::size_t i = 0; i < mutations.size(); ++i)
    if (mutations[i].name == name) return static_cast<Mutation>(i);
  return std::nullopt;
}

}  // namespace penstock::simulation
