#include "controlplane/pipe/worker.hpp"

#include <utility>

namespace penstock::controlplane::pipe {

Worker::~Worker() {
  is_abandoned_ = true;
  if (reactor_ != nullptr) close();
  join();
}

Result<void> Worker::start(const EnginePlan& plan, const SocketAddress& bind_from) {
  auto reactor =
      Reactor::create(settings_, key_, plan, bind_from, [this](const Connection& connection) {
        load_.fetch_sub(1, std::memory_order_relaxed);
        on_end_(connection);
      });
  if (!reactor) return std::unexpected{std::move(reactor.error())};
  reactor_ = std::move(*reactor);
  thread_ = std::thread{[this] { run(); }};
  return {};
}

void Worker::take(Accepted accepted) {
  load_.fetch_add(1, std::memory_order_relaxed);
  {
    const std::scoped_lock lock{mutex_};
    given_.push_back(std::move(accepted));
    if (given_.size() > 1) return;  // the first has woken it
  }
  reactor_->wake();
}

void Worker::close() {
  {
    const std::scoped_lock lock{mutex_};
    is_closed_ = true;
  }
  reactor_->wake();
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::run() {
  while (!is_abandoned_.load(std::memory_order_relaxed)) {
    const bool is_last = take_new();
    if (is_last && reactor_->is_empty()) return;
    reactor_->turn();
  }
}

// Whether no more will come.
bool Worker::take_new() {
  std::vector<Accepted> fresh;
  bool is_last = false;
  {
    const std::scoped_lock lock{mutex_};
    std::swap(fresh, given_);
    is_last = is_closed_;
  }
  for (Accepted& one : fresh) reactor_->adopt(std::move(one.socket), one.peer, targets_.get());
  return is_last;
}

}  // namespace penstock::controlplane::pipe
