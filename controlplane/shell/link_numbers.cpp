#include "controlplane/shell/link_numbers.hpp"

#include <algorithm>
#include <optional>

namespace penstock::controlplane {
namespace {

// Of the session that the link sends on, if it has one.
std::optional<std::uint32_t> number_of(std::string_view peer,
                                       std::span<const ipc::SessionInfo> living) {
  std::optional<std::uint32_t> number;
  for (const ipc::SessionInfo& session : living) {
    if (name_of_peer(session) != peer || session.link >= limits::max_links) continue;
    if (!number || session.state == ipc::SessionState::current) number = session.link;
  }
  return number;
}

}  // namespace

std::string_view name_of_peer(const ipc::SessionInfo& session) {
  const auto& name = session.peer_name;
  return {name.data(), static_cast<std::size_t>(std::ranges::find(name, '\0') - name.begin())};
}

std::uint32_t lowest_free(std::vector<std::uint32_t> taken) {
  std::ranges::sort(taken);
  std::uint32_t number = 0;
  for (const std::uint32_t one : taken)
    if (one == number) ++number;
  return number;
}

std::vector<std::uint32_t> number_links(std::span<const std::string> peers,
                                        std::span<const ipc::SessionInfo> living) {
  std::vector<std::uint32_t> taken;
  for (const std::string& peer : peers)
    if (const auto number = number_of(peer, living)) taken.push_back(*number);
  std::vector<std::uint32_t> numbers;
  for (const std::string& peer : peers) {
    const auto known = number_of(peer, living);
    numbers.push_back(known ? *known : lowest_free(taken));
    if (!known) taken.push_back(numbers.back());
  }
  return numbers;
}

}  // namespace penstock::controlplane
