#include "penstock/link/path_mtu.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace penstock {
namespace {

constexpr std::uint16_t ethernet = 1472;  // 1500 bytes of IPv4

// Frames that fill what paths usually carry: IPv4 or IPv6 over Ethernet, PPPoE, tunnels, 1280
// bytes; and jumbo frames. Tried first, and found exactly.
constexpr std::array<std::uint16_t, 17> usual{1232,     1252, 1272, 1352, 1372, 1392,
                                              1412,     1422, 1432, 1444, 1452, 1464,
                                              ethernet, 8922, 8942, 8952, 8972};

// SplitMix64 (Steele, Lea, Flood 2014): nobody gains by guessing this.
std::uint64_t step(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

PathMtu::PathMtu(std::uint16_t most, std::uint64_t seed)
    : most_(most),
      base_(std::min(most, base_size)),
      random_(seed),
      too_large_(static_cast<std::uint16_t>(most + 1)) {}

Time PathMtu::random_below(Time bound) {
  return Time{static_cast<Time::rep>(step(random_) % static_cast<std::uint64_t>(bound.count()))};
}

void PathMtu::resume(std::uint16_t frame_size, Time now) {
  hint_ = frame_size;
  is_to_tell_ = true;
  confirm_at_ = now;
  if (std::exchange(is_paused_, false) || !asked_) due_ = now;
}

void PathMtu::pause() {
  is_paused_ = true;
  asked_.reset();
  doubt_.reset();
}

std::optional<PathMtu::Probe> PathMtu::take_probe(Time now) {
  if (is_paused_ || now < due_) return std::nullopt;
  if (asked_ && !doubt_ && asked_->size == known_ && known_ > base_)
    doubt_ = Doubt{.heard = last_id_};
  if (doubt_) {
    if (const auto probe = ask_in_doubt(now)) return probe;
  } else if (asked_) {
    if (tries_ < max_probes) return ask_again(now);
    lost(now);
  }
  if (now < due_) return std::nullopt;
  return next(now);
}

std::optional<PathMtu::Probe> PathMtu::next(Time now) {
  if (state_ == State::base || state_ == State::error) return ask(base_, now);
  if (state_ == State::complete && now >= raise_at_ && known_ < most_) {
    too_large_ = static_cast<std::uint16_t>(most_ + 1);
    state_ = State::searching;
  }
  // In the midst of a search too: it may last, and the path shrink meanwhile.
  if (now >= confirm_at_) return ask(known_, now);
  if (state_ == State::searching) {
    if (const std::uint16_t size = candidate(); size != 0) return ask(size, now);
    complete(now);
  }
  rest(now);
  return std::nullopt;
}

PathMtu::Probe PathMtu::ask(std::uint16_t size, Time now) {
  asked_ = Probe{.id = ++last_id_, .size = size};
  tries_ = 0;
  return ask_again(now);
}

PathMtu::Probe PathMtu::ask_again(Time now) {
  ++tries_;
  due_ = now + probe_timer + random_below(probe_timer / 4);
  return *asked_;
}

// The known size first, so that its answer comes before that of the base. Empty: nothing passes, or
// hardly anything.
std::optional<PathMtu::Probe> PathMtu::ask_in_doubt(Time now) {
  const bool is_base = doubt_->is_base_next;
  if (!is_base && doubt_->pairs++ == 8 + 4 * doubt_->answers) {
    doubt_.reset();
    asked_.reset();
    state_ = State::error;
    due_ = now + confirm_every;
    return std::nullopt;
  }
  doubt_->is_base_next = !is_base;
  due_ = now + doubt_every + random_below(doubt_every / 4);
  return is_base ? Probe{.id = ++last_id_, .size = base_} : *asked_;
}

bool PathMtu::answered_in_doubt(std::uint64_t id, Time now) {
  if (id <= doubt_->heard || id > last_id_) return false;
  doubt_->heard = id;
  if (++doubt_->answers < doubt_answers) return true;
  doubt_.reset();
  asked_.reset();
  due_ = now;
  confirm_at_ = now + confirm_every;
  base_answered();
  return true;
}

// The wire port's own size first; where jumbo frames fail, plain Ethernet's; then by halves, among
// the usual sizes while some are open.
std::uint16_t PathMtu::candidate() const {
  if (too_large_ > most_ && known_ < most_) return most_;
  if (is_open(hint_)) return hint_;
  if (is_open(ethernet) && too_large_ > 2 * ethernet) return ethernet;
  const auto* const first = std::ranges::upper_bound(usual, known_);
  const auto* const last = std::ranges::lower_bound(usual, too_large_);
  if (first < last) return *(first + (last - first) / 2);
  if (too_large_ - known_ <= granularity) return 0;
  return static_cast<std::uint16_t>((known_ + too_large_) / 2);
}

void PathMtu::lost(Time now) {
  const std::uint16_t size = std::exchange(asked_, std::nullopt)->size;
  if (state_ == State::base || state_ == State::error || size == known_) {
    state_ = State::error;
    due_ = now + confirm_every;
  } else {
    too_large_ = size;
  }
}

bool PathMtu::answered(std::uint64_t id, std::uint16_t size, Time now) {
  if (doubt_ && size == base_) return answered_in_doubt(id, now);
  if (!asked_ || asked_->id != id || asked_->size != size) return false;
  asked_.reset();
  doubt_.reset();
  due_ = now;
  confirm_at_ = now + confirm_every * 9 / 10 + random_below(confirm_every / 5);
  if (state_ == State::error && known_ > base_) {
    // All was lost, so that the known size was says nothing: it is asked for again.
    state_ = State::complete;
    confirm_at_ = now;
  } else if (state_ == State::base || state_ == State::error) {
    base_answered();
  } else if (state_ == State::searching) {
    const bool is_more = size > std::exchange(known_, size);
    // The search for still more may last a minute.
    if (is_more && size == ethernet && too_large_ > 2 * ethernet) tell();
  } else if (is_to_tell_) {
    tell();
  }
  if (state_ == State::searching && candidate() == 0) complete(now);
  if (state_ == State::complete) rest(now);
  return true;
}

void PathMtu::base_answered() {
  if (known_ > base_) {
    too_large_ = known_;
    known_ = base_;
    tell();
  }
  known_ = base_;
  state_ = State::searching;
}

void PathMtu::complete(Time now) {
  state_ = State::complete;
  raise_at_ = now + raise_after;
  if (is_to_tell_ || known_ != told_) tell();
}

void PathMtu::rest(Time now) {
  due_ = known_ < most_ ? std::min(confirm_at_, raise_at_) : confirm_at_;
  due_ = std::max(due_, now);
}

void PathMtu::tell() {
  is_to_tell_ = false;
  told_ = known_;
  news_ = known_;
}

std::optional<std::uint16_t> PathMtu::take_news() { return std::exchange(news_, std::nullopt); }

}  // namespace penstock
