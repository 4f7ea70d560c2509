// The admin protocol: {"method":"status"} is answered {"ok":true,"result":{...}}, what
// cannot be done {"ok":false,"error":"one sentence"}.
#pragma once

#include <functional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "penstock/base/error.hpp"

#include "controlplane/admin/status.hpp"

namespace penstock::controlplane {

// What an operator may ask of a site.
class AdminTarget {
 public:
  virtual void ask_status(std::function<void(SiteStatus)> on_status) = 0;
  virtual Result<void> rekey(std::string_view peer) = 0;

 protected:
  ~AdminTarget() = default;
};

using OnAnswer = std::function<void(const nlohmann::json&)>;

// Carries out one line of JSON; answers exactly once, now or later.
void answer_admin(AdminTarget& target, std::string_view line, const OnAnswer& on_answer);

}  // namespace penstock::controlplane
