// The admin protocol: {"method":"status"} is answered {"ok":true,"result":{...}}, what
// cannot be done {"ok":false,"error":"one sentence"}.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "penstock/base/error.hpp"

#include "controlplane/admin/status.hpp"

namespace penstock::controlplane {

// Who asks, by the kernel's word. Who may not act may read.
struct Caller {
  uid_t uid = 0;
  pid_t pid = 0;
  bool may_act = false;
};

// What a reload did, by the links' peers.
struct ReloadReport {
  std::vector<std::string> added;
  std::vector<std::string> changed;
  std::vector<std::string> removed;
  std::size_t untouched = 0;
};

struct ZeroizeReport {
  std::size_t links = 0;                  // whose keys penstockd wiped
  std::optional<std::uint32_t> sessions;  // that the data plane wiped; empty: it is not running
  std::size_t pipes = 0;                  // of the config, which keep theirs: other processes
};

// What an operator may ask of a site. Each is answered once, now or later.
class AdminTarget {
 public:
  using OnReloaded = std::function<void(Result<ReloadReport>)>;
  using OnZeroized = std::function<void(Result<ZeroizeReport>)>;
  using OnDone = std::function<void(Result<void>)>;

  virtual void ask_status(std::function<void(SiteStatus)> on_status) = 0;
  // The data plane's workers, queues, rings and pools, as text.
  virtual void ask_topology(std::function<void(const Result<std::string>&)> on_text) = 0;
  virtual Result<void> rekey(std::string_view peer) = 0;
  // An invalid config changes nothing.
  virtual void reload(OnReloaded on_reloaded) = 0;
  virtual void zeroize(const Caller& caller, OnZeroized on_zeroized) = 0;
  // The keys that the config has for this link are accepted again, though one was retired.
  virtual void restore_key(const std::string& peer, OnDone on_done) = 0;

 protected:
  ~AdminTarget() = default;
};

using OnAnswer = std::function<void(const nlohmann::json&)>;

// Carries out one line of JSON; answers exactly once, now or later.
void answer_admin(AdminTarget& target, const Caller& caller, std::string_view line,
                  const OnAnswer& on_answer);

}  // namespace penstock::controlplane
