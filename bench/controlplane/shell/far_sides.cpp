#include "bench/controlplane/shell/far_sides.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/check.hpp"
#include "penstock/base/limits.hpp"

namespace penstock::bench {

using namespace controlplane;

namespace {

constexpr std::size_t addresses_a_net = 250;

Endpoint endpoint(std::string_view address) {
  return {.address = parse_ip(address).value(), .port = limits::default_port};
}

DataplaneFacts facts_of(const ipc::BootId& boot_id) {
  return {.boot_id = boot_id, .max_frame_size = 1472, .lanes = 1, .takes_offload = true};
}

}  // namespace

std::string far_name(std::size_t index) { return fmt::format("p{}", index); }

std::string far_address(std::size_t index) {
  return fmt::format("10.1.{}.{}", index / addresses_a_net, 1 + index % addresses_a_net);
}

struct FarSides::Link {
  Link(VirtualDataplane hub_end, VirtualDataplane far_end, Entropy& entropy)
      : hub(std::move(hub_end)), far(std::move(far_end)), slots(entropy) {}

  Endpoint address;
  std::uint32_t number = 0;  // the hub's
  VirtualDataplane hub;
  VirtualDataplane far;
  SlotAllocator slots;  // of the far site
  std::optional<LinkController> controller;
};

FarSides::FarSides(const std::vector<std::string>& keys, const ipc::BootId& boot_id,
                   Outputs outputs)
    : outputs_(std::move(outputs)) {
  const std::vector<Suite> suites{{KeyExchange::x25519, Protection::aes256_ctr_sha256}};
  for (std::size_t index = 0; index < keys.size(); ++index) {
    auto frame_to = [this, index](bool is_to_hub) {
      return [this, index, is_to_hub](const VirtualFrame& frame) {
        wire_.emplace_back([this, index, is_to_hub, frame](Time now) {
          Link& link = *links_[index];
          (is_to_hub ? link.hub : link.far).receive(frame, now);
          settle(link, now);
        });
      };
    };
    VirtualDataplane hub{boot_id,
                         {.send = frame_to(false),
                          .event =
                              [this, index](ipc::Event event) {
                                event.link = links_[index]->number;
                                outputs_.event(event);
                              },
                          .punt_inside = outputs_.punt_inside}};
    VirtualDataplane far{boot_id,
                         {.send = frame_to(true),
                          .event =
                              [this, index](const ipc::Event& event) {
                                wire_.emplace_back([this, index, event](Time now) {
                                  links_[index]->controller->on_event(event, now);
                                  settle(*links_[index], now);
                                });
                              },
                          .punt_inside =
                              [this, index](const ipc::SessionId& id, const auto& message) {
                                wire_.emplace_back([this, index, id, message](Time now) {
                                  std::ignore =
                                      links_[index]->controller->on_datagram(id, message, now);
                                  settle(*links_[index], now);
                                });
                              }}};
    auto link = std::make_unique<Link>(std::move(hub), std::move(far), entropy_);
    link->address = endpoint(far_address(index));
    LinkConfig config{.peer = std::string{hub_name}, .endpoint = endpoint(hub_address)};
    config.suites = suites;
    link->controller.emplace(
        LinkController::Setup{.site_name = far_name(index),
                              .config = std::move(config),
                              .file_key = crypto::derive_file_key(as_bytes(keys[index])),
                              .old_file_key = std::nullopt},
        link->slots, entropy_, monotonic_now());
    by_address_[ipc::to_wire(link->address).address] = link.get();
    links_.push_back(std::move(link));
  }
}

FarSides::~FarSides() = default;

void FarSides::start(Time now) {
  for (const auto& link : links_) {
    link->controller->on_dataplane_up(facts_of(link->far.boot_id()), {}, now);
    settle(*link, now);
  }
}

void FarSides::on_timer(Time now) {
  for (const auto& link : links_) {
    link->hub.on_timer(now);
    link->far.on_timer(now);
    const auto deadline = link->controller->deadline();
    if (!deadline || now < *deadline) continue;
    link->controller->on_timer(now);
    settle(*link, now);
  }
}

void FarSides::deliver(Time now) {
  while (!wire_.empty()) {
    const auto arrive = std::move(wire_.front());
    wire_.pop_front();
    arrive(now);
  }
}

void FarSides::settle(Link& link, Time now) {
  for (Action& action : link.controller->take_actions()) {
    if (const auto* const clear = std::get_if<SendDatagram>(&action))
      outputs_.punt(link.address, clear->bytes);
    else if (auto* const inside = std::get_if<SendInside>(&action))
      link.far.send_inside(inside->session_id, std::move(inside->bytes), now);
    else if (auto* const wanted = std::get_if<Install>(&action))
      install(link, *wanted, now);
    else if (const auto* const gone = std::get_if<Remove>(&action))
      link.far.remove(gone->session_id);
  }
}

void FarSides::install(Link& link, Install& wanted, Time now) {
  const auto result = link.far.install(*wanted.message, now);
  wire_.emplace_front([this, &link, request = wanted.request, result](Time then) {
    link.controller->on_install_reply(request, result, then);
    settle(link, then);
  });
}

ipc::InstallResult FarSides::install(const ipc::InstallSession& message, Time now) {
  Link* const link = at(ipc::from_wire(message.peer));
  if (link == nullptr) return ipc::InstallResult::bad_parameters;
  link->number = message.link;
  by_session_[message.session_id] = link;
  return link->hub.install(message, now);
}

bool FarSides::remove(const ipc::SessionId& id) {
  Link* const link = of(id);
  if (link != nullptr) link->hub.remove(id);
  return by_session_.erase(id) != 0;
}

void FarSides::inject(const Endpoint& to, Bytes datagram, Time now) {
  Link* const link = at(to);
  if (link == nullptr) return;
  std::ignore = link->controller->on_datagram(endpoint(hub_address), datagram, now);
  settle(*link, now);
}

void FarSides::inject_inside(const ipc::SessionId& id, Bytes message, Time now) {
  Link* const link = of(id);
  if (link != nullptr) link->hub.send_inside(id, {message.begin(), message.end()}, now);
}

std::vector<ipc::SessionInfo> FarSides::living(Time now) const {
  std::vector<ipc::SessionInfo> all;
  for (const auto& link : links_)
    for (ipc::SessionInfo& session : link->hub.living(now)) {
      session.link = link->number;
      all.push_back(session);
    }
  return all;
}

std::size_t FarSides::current() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      links_, [](const auto& link) { return link->hub.current().has_value(); }));
}

FarSides::Link* FarSides::at(const Endpoint& address) const {
  const auto found = by_address_.find(ipc::to_wire(address).address);
  return found == by_address_.end() ? nullptr : found->second;
}

FarSides::Link* FarSides::of(const ipc::SessionId& id) const {
  const auto found = by_session_.find(id);
  return found == by_session_.end() ? nullptr : found->second;
}

}  // namespace penstock::bench
