// The data plane and the operator. Its sessions are in link_sessions.cpp, attempts in
// link_attempts.cpp, and what the far side's messages do in link_messages.cpp.
#include "controlplane/session/link_state.hpp"

#include <utility>

#include <fmt/format.h>

#include "penstock/wire/outer.hpp"

namespace penstock::controlplane {
namespace {

// Two reasons as one.
std::string joined(const std::string& first, const std::string& second) {
  if (first.empty() || first == second) return second;
  return second.empty() ? first : fmt::format("{}; {}", first, second);
}

}  // namespace

LinkController::State::State(Setup setup, SlotAllocator& slots, Entropy& entropy, Time now)
    : config_(std::move(setup.config)),
      address_(config_),
      site_name_(setup.site_name),
      link_index_(setup.link_index),
      slots_(&slots),
      entropy_(&entropy),
      since_(now),
      view_(setup.site_name, actions_) {
  view_.rename(config_.peer, address_.describe());
  load_keys(setup);
  view_.waiting(no_dataplane);
  warn_of_null();
}

void LinkController::State::warn_of_null() {
  for (const Suite suite : config_.suites) {
    if (suite.protection == Protection::none) view_.may_be_unprotected(suite);
  }
}

void LinkController::State::warn_of_size() {
  const std::uint16_t most = facts_->max_frame_size;
  if (config_.frame_size > most)
    view_.warn(fmt::format("frame_size {} does not fit the wire's MTU; using {}",
                           *config_.frame_size, most));
  const std::size_t headers = outer_ip_header() + udp_header;
  if (most < limits::max_frame_size && config_.mtu > most + headers)
    view_.warn(
        fmt::format("mtu {} is more than the wire's; using {}", *config_.mtu, most + headers));
}

// --- the data plane ---------------------------------------------------------------------

void LinkController::State::dataplane_up(const DataplaneFacts& new_facts,
                                         const std::vector<ipc::SessionInfo>& living, Time now) {
  attempt_.reset();
  pending_.clear();
  sessions_.clear();
  lanes_ = {};
  schedule_.reset();
  facts_ = new_facts;
  told_to_expect_.reset();
  adopt(living, now);
  if (keys_.is_empty()) return remove_all();  // made before the keys were wiped
  warn_of_size();
  // Who is to know whether a session leads where it should has to know where that is.
  if (!address_.endpoint()) static_cast<void>(has_address(now));
  view_.waiting(waiting());
  announce_adopted();
  if (keys_.has_old()) rekey_now(HandshakeCause::new_key, now);
}

void LinkController::State::dataplane_down(Time now) {
  const bool was_up = is_up();
  attempt_.reset();
  pending_.clear();
  sessions_.clear();
  facts_.reset();
  lost_ppm_.reset();
  lanes_ = {};
  failed_in_a_row_ = 0;
  unanswered_ = 0;
  if (was_up) {
    since_ = now;
    view_.went_down(no_dataplane);
  } else if (zeroized_.empty()) {
    view_.waiting(no_dataplane);
  }
}

// --- the operator -----------------------------------------------------------------------

void LinkController::State::rekey(Time now) { rekey_now(HandshakeCause::by_operator, now); }

std::vector<Action> LinkController::State::take_actions() {
  if (facts_ && told_to_expect_ != expected_peer()) {
    told_to_expect_ = expected_peer();
    actions_.push_back(ExpectPeer{*told_to_expect_});
  }
  return std::exchange(actions_, {});
}

LinkStatus LinkController::State::status(ipc::BreakerState breaker) const {
  LinkStatus status{.reason = view_.reason(),
                    .peer = config_.peer,
                    .endpoint = address_.endpoint().value_or(Endpoint{}),
                    .endpoint_name = config_.endpoint_name,
                    .lists_null = lists_null(),
                    .key = key_status(),
                    .session_id = std::nullopt,
                    .role = std::nullopt,
                    .since = since_,
                    .handshakes_completed = book_.completed,
                    .handshakes_failed = book_.failed,
                    .messages_refused = book_.messages_refused,
                    .handshakes = book_,
                    .silences = silences_,
                    .stop = stop(breaker),
                    .steps = config_.shape.steps.size()};
  if (const Session* current = sessions_.current()) {
    status.session_id = current->id;
    status.role = current->role;
    status.established = current->confirmed_at;
  }
  if (is_up()) {
    status.state = LinkStatus::State::up;
    status.reason = joined(joined(status.stop, missing_lanes()),
                           joined(coming_end(), view_.rekey_trouble(failed_in_a_row_)));
  } else if (sessions_.current() != nullptr) {
    status.reason = joined(silence(), view_.reason());
  } else if (attempt_ || !pending_.empty() || sessions_.has_unconfirmed()) {
    status.state = LinkStatus::State::connecting;
  } else if (facts_ && zeroized_.empty() && !address_.is_said()) {
    status.reason = joined(view_.reason(), waiting());
  }
  return status;
}

}  // namespace penstock::controlplane
