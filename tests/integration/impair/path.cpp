#include "path.hpp"

#include <algorithm>
#include <utility>

namespace impair {
namespace {

constexpr std::size_t ethernet_header = 14;

void turn_ce_on_in_v4(unsigned char* ip) {
  const auto before = static_cast<std::uint32_t>(ip[0] << 8 | ip[1]);
  ip[1] |= 3;
  const auto after = static_cast<std::uint32_t>(ip[0] << 8 | ip[1]);
  // RFC 1624, equation 3: HC' = ~(~HC + ~m + m')
  const auto checksum = static_cast<std::uint32_t>(ip[10] << 8 | ip[11]);
  std::uint32_t sum = (~checksum & 0xffff) + (~before & 0xffff) + after;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  ip[10] = static_cast<unsigned char>(~sum >> 8);
  ip[11] = static_cast<unsigned char>(~sum);
}

}  // namespace

void Path::set(const Settings& settings) {
  settings_ = settings;
  is_in_burst_ = false;
}

void Path::arrive(PacketPtr packet, Time now) {
  ++tally_.seen;
  if (settings_.mtu != 0 && packet->size > settings_.mtu + ethernet_header) {
    ++tally_.too_long;
    return;
  }
  if (is_lost()) {
    ++tally_.lost;
    return;
  }
  const auto through = squeeze(packet->size, now);
  if (!through) {
    ++tally_.queue_full;
    return;
  }
  if (happens(settings_.mark) && mark_ce(packet->view())) ++tally_.marked;
  PacketPtr copy;
  if (happens(settings_.duplicate)) {
    ++tally_.duplicated;
    copy = std::make_unique_for_overwrite<Packet>();
    copy->size = packet->size;
    std::ranges::copy(packet->view(), copy->bytes.begin());
  }
  send_on(std::move(packet), *through, now);
  if (copy) send_on(std::move(copy), *through, now);
}

PacketPtr Path::depart(Time now) {
  release_overdue(now);
  if (waiting_.empty() || waiting_.front().due > now) return nullptr;
  std::ranges::pop_heap(waiting_, is_later);
  PacketPtr packet = std::move(waiting_.back().packet);
  waiting_.pop_back();
  return packet;
}

std::optional<Time> Path::next_due() const {
  std::optional<Time> due;
  if (!waiting_.empty()) due = waiting_.front().due;
  for (const Held& held : held_) due = std::min(due.value_or(held.latest), held.latest);
  return due;
}

// The one that leaves last sinks to the bottom of the heap.
bool Path::is_later(const Waiting& left, const Waiting& right) {
  return std::pair{left.due, left.number} > std::pair{right.due, right.number};
}

bool Path::happens(double probability) {
  return probability > 0 && static_cast<double>(dice_() >> 11) * 0x1p-53 < probability;
}

bool Path::is_lost() {
  if (settings_.burst_enter > 0)
    is_in_burst_ = is_in_burst_ ? !happens(settings_.burst_leave) : happens(settings_.burst_enter);
  return happens(is_in_burst_ ? settings_.burst_loss : settings_.loss);
}

std::optional<Time> Path::squeeze(std::size_t size, Time now) {
  if (inside() >= max_inside) return std::nullopt;
  if (settings_.rate == 0) return now;
  const auto nanoseconds_of = [&](std::size_t bytes) {
    return Time{static_cast<Time::rep>(bytes * 8'000'000'000 / settings_.rate)};
  };
  const Time backlog = std::max(bottleneck_free_ - now, Time{0});
  if (backlog + nanoseconds_of(size) > nanoseconds_of(std::max<std::size_t>(settings_.queue, size)))
    return std::nullopt;
  bottleneck_free_ = now + backlog + nanoseconds_of(size);
  return bottleneck_free_;
}

void Path::send_on(PacketPtr packet, Time due, Time now) {
  due += settings_.delay;
  if (settings_.jitter > Time{0})
    due += Time{
        static_cast<Time::rep>(dice_() % static_cast<std::uint64_t>(settings_.jitter.count()))};
  if (settings_.reorder_distance == 0 || !happens(settings_.reorder)) {
    pass(std::move(packet), due);
    return;
  }
  ++tally_.reordered;
  const auto to_pass = static_cast<std::uint32_t>(1 + dice_() % settings_.reorder_distance);
  held_.push_back({.packet = std::move(packet),
                   .due = due,
                   .latest = now + settings_.reorder_wait,
                   .to_pass = to_pass});
}

// A held packet leaves right behind the last one that it lets pass.
void Path::pass(PacketPtr packet, Time due) {
  waiting_.push_back({.packet = std::move(packet), .due = due, .number = next_number_++});
  std::ranges::push_heap(waiting_, is_later);
  for (Held& held : held_) --held.to_pass;
  const auto ready = std::ranges::find(held_, 0U, &Held::to_pass);
  if (ready == held_.end()) return;
  Held held = std::move(*ready);
  held_.erase(ready);
  // Two may be ready at once; the second passes behind the first, and is not asked again.
  for (Held& other : held_) other.to_pass = std::max(other.to_pass, 1U);
  pass(std::move(held.packet), std::max(held.due, due));
}

void Path::release_overdue(Time now) {
  for (;;) {
    const auto overdue =
        std::ranges::find_if(held_, [&](const Held& held) { return held.latest <= now; });
    if (overdue == held_.end()) return;
    Held held = std::move(*overdue);
    held_.erase(overdue);
    pass(std::move(held.packet), held.due);
  }
}

bool mark_ce(std::span<unsigned char> ethernet) {
  if (ethernet.size() < ethernet_header + 20) return false;
  unsigned char* const ip = &ethernet[ethernet_header];
  if (ethernet[12] == 0x08 && ethernet[13] == 0x00) {
    const int ecn = ip[1] & 3;
    if (ecn == 0 || ecn == 3) return false;
    turn_ce_on_in_v4(ip);
    return true;
  }
  if (ethernet[12] == 0x86 && ethernet[13] == 0xdd) {
    const int ecn = ip[1] >> 4 & 3;
    if (ecn == 0 || ecn == 3) return false;
    ip[1] |= 0x30;
    return true;
  }
  return false;
}

}  // namespace impair
