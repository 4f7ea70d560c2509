// The kernel shut off by a process of its own. What it does is undone by a clean stop, which
// takes the privilege and the programs that the data plane gives up before it runs; so a child
// keeps them, and takes two orders: shut the kernel off, and undo it.
//
// It dies with the data plane, and undoes nothing when that dies without a word: then the kernel
// stays shut off until the next start.
#pragma once

#include "penstock/base/error.hpp"
#include "penstock/base/unique_fd.hpp"
#include "penstock/config/site_config.hpp"

namespace penstock::dataplane {

class KernelKeeper {
 public:
  // Forks; while this process has one thread, and holds nothing yet that the child should not.
  [[nodiscard]] static Result<KernelKeeper> fork(const SiteConfig& config);
  KernelKeeper(KernelKeeper&&) noexcept = default;
  KernelKeeper& operator=(KernelKeeper&&) = delete;
  ~KernelKeeper();  // undoes, and waits for that

  // KernelShutoff::start() over there.
  [[nodiscard]] Result<void> shut_off();

 private:
  explicit KernelKeeper(UniqueFd socket) : socket_(std::move(socket)) {}

  UniqueFd socket_;
  bool is_shut_off_ = false;
};

}  // namespace penstock::dataplane
