#include "controlplane/pipe/ends.hpp"

#include <string>
#include <utility>

namespace penstock::controlplane::pipe {
namespace {

template <std::size_t... I>
std::array<log::RateLimit, sizeof...(I)> once_a_second(std::index_sequence<I...> /*each*/) {
  return {((void)I, log::RateLimit{std::chrono::seconds{1}})...};
}

}  // namespace

std::string_view to_string(End end) {
  switch (end) {
    case End::finished:
      return "it was closed";
    case End::no_target:
      return "no address of the target took the connection in time; see that it runs and can "
             "be reached";
    case End::handshake_late:
      return "the far side did not finish its handshake in time; see that it is a pipe of the "
             "other role, or give it longer (-o)";
    case End::handshake_cut:
      return "the far side closed during the handshake; see its log: its key may be another";
    case End::bad_handshake:
      return "the far side's handshake does not hold; see that both ends have the same key file";
    case End::not_forward:
      return "the far side has no forward secrecy, which -g demands; leave out its -f";
    case End::bad_packet:
      return "a packet does not hold: it was changed on the way";
    case End::cut_packet:
      return "the far side closed inside a packet";
    case End::reset:
      return "the connection to the far side broke";
    case End::count:
      break;
  }
  return "";
}

std::array<log::RateLimit, end_count> EndLog::make_limits() {
  return once_a_second(std::make_index_sequence<end_count>{});
}

void EndLog::report(End end, std::string_view detail, Time now) {
  const auto index = static_cast<std::size_t>(end);
  counts_[index].fetch_add(1, std::memory_order_relaxed);
  if (end == End::finished) return;
  unsigned suppressed = 0;
  {
    const std::scoped_lock lock{mutex_};
    if (!limits_[index].allow(now, suppressed)) return;
  }
  std::string line = "a connection ended: " + std::string{to_string(end)};
  if (!detail.empty()) line += " (" + std::string{detail} + ")";
  if (suppressed > 0) line += "; " + std::to_string(suppressed) + " more like it since";
  log::warn(line);
}

}  // namespace penstock::controlplane::pipe
