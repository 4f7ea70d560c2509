// What became of a link's handshakes: the last one, and how many ended how. Messages that were
// dropped are counted by the name of the check that they failed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "penstock/base/clock.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/ipc/messages.hpp"

#include "controlplane/handshake/refusal.hpp"
#include "controlplane/handshake/verdict.hpp"

namespace penstock::controlplane {

// Why a handshake was made.
enum class HandshakeCause : std::uint8_t {
  first,        // there was no session
  age,          // of the living session
  limit,        // its frames, bytes or failed opens
  by_operator,  // `penstock rekey`
  silence,      // of the far side
  new_key,      // it is to be proved
  reload,       // the next session will be another
  peer,         // the far side's wish
  path,         // it carries larger frames than were used, or smaller ones alone
};
[[nodiscard]] std::string_view to_string(HandshakeCause cause);

// Why there is no session at its end.
enum class HandshakeFailure : std::uint8_t {
  no_answer,
  new_key_unanswered,  // the far side may not have it yet; the old key's turn follows
  refused_by_far_side,
  refused_here,
  unconfirmed,      // no frame came through
  install_refused,  // by the data plane
  no_slot,
};
inline constexpr std::size_t handshake_failures =
    static_cast<std::size_t>(HandshakeFailure::no_slot) + 1;
[[nodiscard]] std::string_view to_string(HandshakeFailure failure);

struct HandshakeStory {
  HandshakeCause cause{};
  ipc::Role role{};
  bool is_inside = false;  // of a living session
  Time started{};
  std::optional<Suite> suite = std::nullopt;  // once it is agreed
};

struct LastHandshake {
  HandshakeStory story;
  Time ended{};
  std::optional<HandshakeFailure> failure;  // empty: there is a session
  std::string why;                          // it failed, for the operator
};

inline constexpr std::size_t verdict_count = static_cast<std::size_t>(Verdict::too_many) + 1;
inline constexpr std::size_t refusal_count = static_cast<std::size_t>(Refusal::identity) + 1;
// A refusal's short name, as to_string has its sentence.
[[nodiscard]] std::string_view name_of(Refusal refusal);

struct HandshakeBook {
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::array<std::uint64_t, handshake_failures> failed_by{};
  std::array<std::uint64_t, refusal_count> refused_by_far_side{};
  std::array<std::uint64_t, refusal_count> refused_here{};
  std::uint64_t messages_refused = 0;  // without those that the network brings late or twice
  std::array<std::uint64_t, verdict_count> messages_refused_by{};  // with those
  std::optional<LastHandshake> last;

  void complete(const HandshakeStory& story, Time now);
  void fail(const HandshakeStory& story, HandshakeFailure failure, std::string why, Time now);
  void refuse(const HandshakeStory& story, HandshakeFailure side, Refusal refusal, std::string why,
              Time now);
  void refuse_message(Verdict verdict);
};

}  // namespace penstock::controlplane
