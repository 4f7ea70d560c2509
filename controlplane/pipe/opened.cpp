#include "controlplane/pipe/opened.hpp"

#include <sys/socket.h>

#include <chrono>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/confine.hpp"
#include "penstock/base/log.hpp"
#include "penstock/keys/secret.hpp"

#include "controlplane/pipe/confinement.hpp"
#include "controlplane/pipe/key.hpp"

namespace penstock::controlplane::pipe {
namespace {

using namespace std::chrono_literals;

constexpr auto names_retry = 1s;  // with -D

// With -D until there is an address.
Result<Addresses> look_up(Resolver& resolver, const Result<Endpoint>& endpoint, bool waits) {
  if (!endpoint) return std::unexpected{endpoint.error()};
  for (bool is_first = true;; is_first = false) {
    auto found = resolver.look_up(*endpoint);
    if (found || !waits) return found;
    if (is_first) log::warn(found.error().message + "; trying until there is one");
    std::this_thread::sleep_for(names_retry);
  }
}

Result<Places> find_places(const Options& options, Resolver& resolver) {
  Places places;
  const bool waits = options.waits_for_names;
  if (!options.bind.empty()) {
    const auto from = look_up(resolver, parse_bind_address(options.bind), waits);
    if (!from) return std::unexpected{from.error()};
    places.bind_from = from->front();
  }
  if (!options.source.empty()) {
    const auto source = look_up(resolver, parse_endpoint(options.source), waits);
    if (!source) return std::unexpected{source.error()};
    places.source = source->front();
    if (source->size() > 1)
      log::warn(fmt::format("{} has several addresses; listening at the first, {}", options.source,
                            to_string(places.source)));
  }
  auto targets = look_up(resolver, parse_endpoint(options.target), waits);
  if (!targets) return std::unexpected{targets.error()};
  places.targets = std::move(*targets);
  return places;
}

// Read only once no child is forked any more: a child finds zeros where secrets were.
Result<crypto::FileKey> read_key(const Options& options) {
  auto key = read_pipe_key(options.key_file);
  if (!key) return std::unexpected{key.error()};
  if (!key->warning.empty()) log::warn(key->warning);
  if (!secret_memory::usage().is_locked) log::warn(secret_memory::not_locked);
  return std::move(key->key);
}

Result<EnginePlan> measure() {
  auto plan = EnginePlan::measure({.allow_slow = true, .is_for_pipes = true});
  if (plan && plan->is_slow()) log::warn("this CPU has no AES instructions: pipes are slow on it");
  return plan;
}

}  // namespace

std::optional<HostName> name_to_refresh(const Options& options) {
  const auto endpoint = parse_endpoint(options.target);
  if (!endpoint || options.resolve_every == 0ms) return std::nullopt;
  const auto* const name = std::get_if<HostName>(&*endpoint);
  if (name == nullptr || !numeric_addresses(*name).empty()) return std::nullopt;
  return *name;
}

Result<void> open(const Options& options, Opened& opened) {
  auto places = find_places(options, opened.resolver);
  if (!places) return std::unexpected{places.error()};
  opened.places = std::move(*places);
  auto plan = measure();
  if (!plan) return std::unexpected{plan.error()};
  opened.plan = std::move(*plan);
  auto key = read_key(options);
  if (!key) return std::unexpected{key.error()};
  opened.key = std::move(*key);
  return {};
}

Result<void> confine(const Options& options, const Opened& opened) {
  const bool reaches_a_path = opened.places.targets.front().family() == AF_UNIX;
  return penstock::confine(confinement_of(options, opened.places.bind_from, reaches_a_path));
}

}  // namespace penstock::controlplane::pipe
