#include "controlplane/pipe/reactor.hpp"

#include <utility>

namespace penstock::controlplane::pipe {

Result<std::unique_ptr<Reactor>> Reactor::create(const Settings& settings,
                                                 const crypto::FileKey& key, const EnginePlan& plan,
                                                 const SocketAddress& bind_from, OnEnd on_end) {
  auto loop = Loop::create();
  if (!loop) return std::unexpected{std::move(loop.error())};
  auto engine = PipeEngine::create(plan);
  if (!engine) return std::unexpected{std::move(engine.error())};
  return std::unique_ptr<Reactor>{new Reactor{settings, key, bind_from, std::move(*loop),
                                              std::move(*engine), std::move(on_end)}};
}

Reactor::Reactor(const Settings& settings, const crypto::FileKey& key,
                 const SocketAddress& bind_from, Loop loop, PipeEngine engine, OnEnd on_end)
    : loop_(std::move(loop)),
      engine_(std::move(engine)),
      on_end_(std::move(on_end)),
      around_{.settings = settings,
              .key = key,
              .bind_from = bind_from,
              .loop = loop_,
              .deadlines = deadlines_,
              .entropy = entropy_,
              .tools = {.engine = engine_, .batches = batches_}} {}

void Reactor::adopt(UniqueFd accepted, const SocketAddress& peer, Targets::List targets) {
  begin(std::make_unique<Connection>(around_, std::move(accepted), peer, std::move(targets)));
}

void Reactor::adopt_stdio(int input, int output, UniqueFd connected) {
  begin(std::make_unique<Connection>(around_, input, output, std::move(connected)));
}

void Reactor::begin(std::unique_ptr<Connection> connection) {
  connection->index = connections_.size();
  connections_.push_back(std::move(connection));
  connections_.back()->start(monotonic_now());
  queue(*connections_.back());
}

void Reactor::queue(Connection& connection) {
  if (std::exchange(connection.is_queued, true)) return;
  queued_.push_back(&connection);
}

void Reactor::turn() {
  batches_.wipe();
  std::optional<std::chrono::nanoseconds> wait;
  if (!queued_.empty()) {
    wait = std::chrono::nanoseconds{0};
  } else if (const auto first = deadlines_.first()) {
    wait = *first - monotonic_now();
  }
  for (const epoll_event& event : loop_.wait(wait)) {
    const auto [connection, side] = Connection::from_tag(event.data.ptr);
    connection.note(side, event.events);
    queue(connection);
  }
  const Time now = monotonic_now();
  while (Connection* const late = deadlines_.late(now)) {
    late->note_late();
    queue(*late);
  }
  run_queued(now);
}

// Whoever is queued again by its own turn comes after the next wait.
void Reactor::run_queued(Time now) {
  std::swap(queued_, running_);
  for (Connection* const connection : running_) {
    connection->is_queued = false;
    switch (connection->run(now)) {
      case Connection::Turn::waiting:
        break;
      case Connection::Turn::again:
        queue(*connection);
        break;
      case Connection::Turn::ended:
        bury(*connection);
        break;
    }
  }
  running_.clear();
}

void Reactor::bury(Connection& connection) {
  const std::size_t index = connection.index;
  on_end_(connection);
  std::swap(connections_[index], connections_.back());
  connections_[index]->index = index;
  connections_.pop_back();
}

}  // namespace penstock::controlplane::pipe
