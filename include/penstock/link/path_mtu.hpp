// The largest frame that the path to the far side carries, found by probes that it answers and by
// nothing else: datagram packetization layer path MTU discovery (RFC 8899). Decides and sends
// nothing: which probe leaves when comes out, which was answered goes in. What it does depends on
// answers and the clock alone, never on traffic. Sizes are bytes of UDP payload, as of frames.
// Source: RFC 8899 sections 4 and 5; docs/protocol.md, "Path probes".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "penstock/base/clock.hpp"
#include "penstock/base/limits.hpp"

namespace penstock {

class PathMtu {
 public:
  // What handshake messages in the clear need, so that no link lives on a path that carries less.
  static constexpr std::uint16_t base_size = limits::handshake_message;
  static constexpr unsigned max_probes = 3;                       // lost: the size is too large
  static constexpr Time probe_timer = std::chrono::seconds{1};    // and up to a quarter more
  static constexpr Time confirm_every = std::chrono::seconds{5};  // a tenth more or less
  static constexpr Time raise_after = std::chrono::seconds{600};  // RFC 8899 section 5.1.1
  static constexpr std::uint16_t granularity = 16;  // what a size that nobody has may be too small
  // In doubt: the known size and the base in turns, so far apart and up to a quarter more. Loss
  // alone takes both; where so many of the base are answered while none of the known size is, the
  // path has shrunk. Of a path that loses 20 % each way, probe and answer pass with 0.64, not with
  // q = 0.36. A false verdict takes one lost probe and then, so many times, an answer of the base
  // before one of the known size: q (q / (1 + q))^10 = 6e-7 of 17,280 times a day, once in three
  // months (40 %: q = 0.64, five in 100,000, less than one a day). It is found within 11.75 s.
  static constexpr Time doubt_every = std::chrono::milliseconds{200};
  static constexpr unsigned doubt_answers = 10;

  enum class State : std::uint8_t {
    base,       // whether base_size passes is asked; before that nothing is known
    searching,  // larger sizes are tried
    complete,   // the known size is confirmed now and then
    doubt,      // a probe of the known size was lost
    error,      // nothing passes at all
  };
  struct Probe {
    std::uint64_t id = 0;  // all tries of one question have the same
    std::uint16_t size = 0;
  };

  // `most`: what the wire port sends, at least limits::min_frame_size. Begins paused. `seed`: of
  // the jitter.
  PathMtu(std::uint16_t most, std::uint64_t seed);

  // A session is there to probe through, maybe another than before; its frames have `frame_size`
  // bytes, which is tried early. What is known is asked for and told again.
  void resume(std::uint16_t frame_size, Time now);
  // There is none.
  void pause();

  // The probe to send now, if one is due.
  [[nodiscard]] std::optional<Probe> take_probe(Time now);
  // When take_probe has something to do; Time::max() while paused.
  [[nodiscard]] Time deadline() const { return is_paused_ ? Time::max() : due_; }
  // The far side says that a probe arrived. False: it is not the one that is asked for.
  bool answered(std::uint64_t id, std::uint16_t size, Time now);

  // The largest that was answered and is not known to be lost since; 0: none yet.
  [[nodiscard]] std::uint16_t known() const { return known_; }
  // known(), where somebody has to hear of it: a search has ended, the path has shrunk, or the
  // known size was confirmed through a new session.
  [[nodiscard]] std::optional<std::uint16_t> take_news();
  [[nodiscard]] State state() const { return doubt_ ? State::doubt : state_; }

 private:
  [[nodiscard]] std::optional<Probe> next(Time now);
  [[nodiscard]] Probe ask(std::uint16_t size, Time now);
  [[nodiscard]] Probe ask_again(Time now);
  [[nodiscard]] std::optional<Probe> ask_in_doubt(Time now);
  bool answered_in_doubt(std::uint64_t id, Time now);
  void lost(Time now);
  void base_answered();
  void complete(Time now);
  void rest(Time now);
  void tell();
  // The next size to try; 0: the search is over.
  [[nodiscard]] std::uint16_t candidate() const;
  [[nodiscard]] bool is_open(std::uint16_t size) const {
    return size > known_ && size < too_large_;
  }
  [[nodiscard]] Time random_below(Time bound);

  // Every probe of the base has an id of its own; those of the known size have that of asked_.
  struct Doubt {
    unsigned pairs = 0;    // begun: one of the known size, then one of the base
    unsigned answers = 0;  // of the base
    bool is_base_next = false;
    std::uint64_t heard = 0;  // the last id that was answered, or the one before the first
  };

  std::uint16_t most_;
  std::uint16_t base_;  // base_size, or less where the wire port does not send so much
  std::uint64_t random_;
  State state_ = State::base;
  bool is_paused_ = true;
  std::uint16_t known_ = 0;
  std::uint16_t too_large_;  // the least that is believed to be lost
  std::uint16_t hint_ = 0;   // worth a try
  Time due_{};
  Time confirm_at_{};
  Time raise_at_{};
  std::optional<Probe> asked_;
  unsigned tries_ = 0;  // of asked_
  std::optional<Doubt> doubt_;
  std::uint64_t last_id_ = 0;
  bool is_to_tell_ = false;  // even if it is what was told last
  std::uint16_t told_ = 0;
  std::optional<std::uint16_t> news_;
};

}  // namespace penstock
