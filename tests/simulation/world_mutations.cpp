// What a run does wrong on purpose.
#include <algorithm>
#include <iterator>
#include <utility>

#include "world.hpp"

namespace penstock::simulation {
namespace {

using namespace std::chrono_literals;
using dataplane::test::FakePacket;

}  // namespace

void World::mutate_wire(int index, unsigned worker) {
  auto& sent = site(index).dataplane->wire(worker).sent;
  if (sent.empty() || checker.statistics().delivered < mutate_after_) return;
  if (setup_.mutation == Mutation::repeats_a_number) sent.push_back(sent.back());
  if (setup_.mutation == Mutation::leaks_in_the_clear)
    sent.push_back({.bytes = make_packet(setup_.seed, {})});
  const bool is_paced = site(index).profile.link.shape.is_paced();
  if (setup_.mutation == Mutation::loses_while_calm && checker.is_calm() && !is_paced)
    sent.pop_back();
  if (setup_.mutation == Mutation::makes_up) make_up(index, worker);
  if (setup_.mutation == Mutation::leaves_between_ticks && !checker.is_calm())
    hold_back(index, worker);
}

// Every other frame leaves with the one behind it.
void World::make_up(int index, unsigned worker) {
  auto& sent = site(index).dataplane->wire(worker).sent;
  auto& missed = site(index).missed[worker];
  if (missed.empty())
    missed = std::exchange(sent, {});
  else
    sent.insert(sent.begin(), std::move_iterator{missed.begin()}, std::move_iterator{missed.end()});
}

void World::make_two_current(int index) {
  for (const auto& record : site(index).dataplane->sessions())
    if (record->shares[0]->state() == ipc::SessionState::retiring)
      record->shares[0]->set_state(ipc::SessionState::current);
}

// The next tick is further away.
void World::hold_back(int index, unsigned worker) {
  for (FakePacket& packet : std::exchange(site(index).dataplane->wire(worker).sent, {}))
    at(now_ + 500us, [this, index, worker, packet = std::move(packet)]() mutable {
      if (site(index).dataplane) leave(index, worker, std::move(packet));
    });
}

void World::mutate_plain(int index, unsigned worker) {
  auto& sent = site(index).dataplane->plain(worker).sent;
  if (sent.empty() || checker.statistics().delivered < mutate_after_) return;
  if (setup_.mutation == Mutation::forges_a_delivery)
    sent.push_back({.bytes = make_packet(setup_.seed, {.site = static_cast<std::uint8_t>(1 - index),
                                                       .number = 1u << 20})});
  if (setup_.mutation == Mutation::alters_a_delivery) sent.back().bytes.back() ^= std::byte{1};
  if (setup_.mutation == Mutation::doubles_a_delivery) sent.push_back(sent.back());
  if (setup_.mutation == Mutation::swaps_deliveries) std::ranges::reverse(sent);
}

}  // namespace penstock::simulation
