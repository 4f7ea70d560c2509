#include "controlplane/cli/supervisor.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/log.hpp"

namespace penstock::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds first_backoff = 100ms;
constexpr std::chrono::milliseconds last_backoff = 5s;
constexpr std::chrono::milliseconds last_backoff_of_refused = 1min;
constexpr Time stays_up = 10s;      // then a death begins a new count
constexpr auto stop_patience = 5s;  // between asking a child to stop and killing it

bool is_ignored(int number) {
  struct sigaction action{};
  ::sigaction(number, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

}  // namespace

std::chrono::milliseconds next_backoff(std::chrono::milliseconds last, bool has_refused) {
  return std::clamp(last * 2, first_backoff, has_refused ? last_backoff_of_refused : last_backoff);
}

Supervisor::Supervisor(asio::io_context& loop, std::vector<Program> programs)
    : loop_(loop), signals_(loop, SIGINT, SIGTERM), stop_patience_(loop) {
  if (!is_ignored(SIGHUP)) signals_.add(SIGHUP);  // `nohup penstock run` goes on
  for (Program& program : programs) {
    children_.push_back(std::make_unique<Child>(loop, std::move(program)));
  }
}

int Supervisor::run() {
  obey();
  for (const auto& child : children_) start(*child);
  loop_.run();
  return exit_code_;
}

void Supervisor::obey() {
  signals_.async_wait([this](const std::error_code& error, int number) {
    if (error) return;
    if (number != SIGHUP) return stop_all(0);
    pass_on_hangup();
    obey();
  });
}

// One that is about to be started again reads it anyway.
void Supervisor::pass_on_hangup() {
  for (const auto& child : children_)
    if (child->process != nullptr && child->program.reads_config_again)
      child->process->signal(SIGHUP);
  if (!read_pipes_) return;
  if (auto wanted = read_pipes_()) change_pipes(std::move(*wanted));
}

void Supervisor::change_pipes(std::vector<Program> wanted) {
  std::vector<Child*> gone;
  for (const auto& child : children_) {
    if (!child->program.is_pipe || child->is_leaving) continue;
    const auto same = std::ranges::find(wanted, child->program.name, &Program::name);
    if (same == wanted.end()) {
      gone.push_back(child.get());
      continue;
    }
    if (same->arguments != child->program.arguments) change(*child, *same);
    wanted.erase(same);
  }
  for (Child* const child : gone) let_go(*child);
  for (Program& program : wanted) {
    children_.push_back(std::make_unique<Child>(loop_, std::move(program)));
    children_.back()->may_end_all = false;
    start(*children_.back());
  }
}

// Its connections are cut: what was changed, say a key, is to hold from now on.
void Supervisor::change(Child& child, Program program) {
  log::info(fmt::format("{} was changed; starting it again", program.name));
  child.program = std::move(program);
  child.may_end_all = false;
  child.backoff = std::chrono::milliseconds{0};
  child.is_changed = child.process != nullptr;
  if (child.is_changed) return child.process->signal(child.program.stop_signal);
  child.restart.cancel();
  start(child);
}

void Supervisor::let_go(Child& child) {
  log::info(fmt::format("{} was taken out of the config; stopping it", child.program.name));
  child.restart.cancel();
  child.is_leaving = true;
  if (child.process == nullptr) return forget(child);
  child.process->signal(child.program.stop_signal);
}

void Supervisor::forget(const Child& child) {
  std::erase_if(children_, [&](const auto& other) { return other.get() == &child; });
}

void Supervisor::start(Child& child) {
  ++child.starts;
  child.started = monotonic_now();
  auto process = ChildProcess::spawn(loop_, child.program.arguments, child.program.stop_signal,
                                     [this, &child](ChildExit exit) { on_exit(child, exit); });
  if (!process) return start_later(child, false, process.error().message);
  child.process = std::move(*process);
}

void Supervisor::on_exit(Child& child, ChildExit exit) {
  child.process.reset();
  if (is_stopping_) return stop_last();
  if (child.is_leaving) return forget(child);
  if (std::exchange(child.is_changed, false)) return start(child);
  const bool has_refused = !exit.was_signalled && exit.code == child.program.refusal;
  if (child.starts == 1 && child.may_end_all && has_refused) return stop_all(exit_refused);
  if (monotonic_now() - child.started >= stays_up) child.backoff = 0ms;
  start_later(child, has_refused, fmt::format("{} {}", child.program.name, exit.describe()));
}

void Supervisor::start_later(Child& child, bool has_refused, const std::string& why) {
  child.backoff = next_backoff(child.backoff, has_refused);
  log::warn(fmt::format("{}; starting it again in {} ms", why, child.backoff.count()));
  child.restart.expires_after(child.backoff);
  child.restart.async_wait([this, &child](const std::error_code& error) {
    if (!error && !is_stopping_) start(child);
  });
}

void Supervisor::stop_all(int exit_code) {
  is_stopping_ = true;
  exit_code_ = exit_code;
  for (const auto& child : children_) child->restart.cancel();
  signals_.clear();  // a second Ctrl-C ends us at once, and the children with us
  stop_last();
}

// Stops the last child that still runs; its end brings us here again for the one before.
void Supervisor::stop_last() {
  const auto last =
      std::ranges::find_if(children_.rbegin(), children_.rend(),
                           [](const auto& child) { return child->process != nullptr; });
  if (last == children_.rend()) return loop_.stop();
  Child& child = **last;
  child.process->signal(child.program.stop_signal);
  stop_patience_.expires_after(stop_patience);
  stop_patience_.async_wait([&child](const std::error_code& error) {
    if (error || child.process == nullptr) return;
    log::warn(fmt::format("{} does not stop; killing it", child.program.name));
    child.process->signal(SIGKILL);
  });
}

}  // namespace penstock::cli
