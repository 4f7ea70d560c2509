// What a seed varies of the two sites.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "world.hpp"

namespace penstock::simulation {
namespace {

using namespace std::chrono_literals;

}  // namespace

// What a seed varies of the configs; both sites the same where they must agree.
void World::make_profiles() {
  const IpVersion version = chance_.percent(75) ? IpVersion::v4 : IpVersion::v6;
  const Time rekey_after = std::array{5s, 20s, 60s, 120s}[chance_.below(4)];
  const Time max_age = 3 * rekey_after + 60s;
  const ShapeMode mode = any_mode();
  const bool has_cap = chance_.percent(20);
  mean_gap_ = std::array{20ms, 100ms, 400ms}[chance_.below(3)];
  for (int i = 0; i < 2; ++i) {
    SiteProfile profile = make_profile(i, version);
    profile.link.rekey_after = rekey_after;
    profile.link.max_age = max_age;
    profile.link.shape.mode = mode;
    if (mode == ShapeMode::constant || (mode == ShapeMode::burst && has_cap))
      profile.link.shape.rate = any_rate();
    vary(profile.link);
    profile.workers = any_workers();
    profile.max_frame_size = static_cast<std::uint16_t>(600 + chance_.below(873));
    site(i).profile = profile;
    site(i).socket = setup_.directory / (profile.name + ".sock");
  }
  checker.set_max_age(max_age);
  note(fmt::format("seed {}: {}, rekey_after {} s, a packet each {} ms; {} and {} workers; {}",
                   setup_.seed, version == IpVersion::v4 ? "IPv4" : "IPv6", rekey_after / 1s,
                   mean_gap_ / 1ms, site(0).profile.workers, site(1).profile.workers,
                   describe(site(0).profile.link.shape)));
}

// Mostly burst, as most links; what is to be seen wrong of a rhythm needs one.
ShapeMode World::any_mode() {
  const std::uint64_t any = chance_.below(10);
  if (setup_.mutation == Mutation::leaves_between_ticks || setup_.mutation == Mutation::makes_up ||
      setup_.mutation == Mutation::exceeds_its_rate)
    return ShapeMode::constant;
  return any < 6 ? ShapeMode::burst : any < 8 ? ShapeMode::constant : ShapeMode::quantized;
}

// What is to be seen wrong between workers needs two.
unsigned World::any_workers() {
  const auto any = 1 + static_cast<unsigned>(chance_.below(most_workers));
  if (setup_.mutation == Mutation::sends_anothers_lane ||
      setup_.mutation == Mutation::loses_a_confirm)
    return std::max(any, 2u);
  return any;
}

// Enough for the traffic that there is, but not for every burst of it at once.
Rate World::any_rate() {
  return {.per_second = 100 + chance_.below(300), .unit = Rate::Unit::frames};
}

void World::vary(Shape& shape) {
  const bool has_other = chance_.percent(50);
  if (shape.rate && has_other) shape.rate = any_rate();
  if (shape.mode == ShapeMode::quantized && (shape.steps.empty() || has_other)) {
    shape.steps = {any_rate(), any_rate()};
    shape.steps[1].per_second += shape.steps[0].per_second;
    shape.dwell = chance_.time(100ms, 2s);
  }
  if (shape.is_paced()) shape.queue = chance_.time(50ms, 1s);
}

// What the two may differ in.
void World::vary(LinkConfig& config) {
  std::array protections{Protection::aes256_ctr_sha256, Protection::aes256_gcm,
                         Protection::chacha20_poly1305};
  std::swap(protections[0], protections[chance_.below(3)]);
  config.suites.clear();
  for (const Protection protection : protections)
    config.suites.push_back({KeyExchange::x25519, protection});
  config.hold = std::chrono::microseconds{chance_.percent(30) ? chance_.below(500) : 0};
  vary(config.shape);
  config.dead_after = chance_.time(limits::min_dead_after, 20s);
}

// One site in three seeds sits behind a NAT; the other follows it, or not.
void World::place_nat() {
  const int index = static_cast<int>(chance_.below(6));
  if (index > 1) return;
  site(index).nat = {.inside = site(index).profile.address.port, .outside = any_port()};
  site(index).profile.link.nat = true;
  site(1 - index).profile.link.roam = chance_.percent(60);
  note(fmt::format("{} is behind a NAT; the other {}", site(index).profile.name,
                   site(1 - index).profile.link.roam ? "follows" : "stays"));
}

}  // namespace penstock::simulation
