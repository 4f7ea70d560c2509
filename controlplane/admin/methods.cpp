#include "controlplane/admin/methods.hpp"

#include <fmt/format.h>

namespace penstock::controlplane {
namespace {

using nlohmann::json;

json refusal(std::string_view sentence) { return {{"ok", false}, {"error", sentence}}; }
json success(json result) { return {{"ok", true}, {"result", std::move(result)}}; }

// The text under a key; empty when there is none.
std::string text_in(const json& request, const char* key) {
  const auto found = request.find(key);
  return found != request.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

}  // namespace

void answer_admin(AdminTarget& target, std::string_view line, const OnAnswer& on_answer) {
  const json request = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!request.is_object()) {
    return on_answer(refusal("a request is one line with one JSON object"));
  }
  const std::string method = text_in(request, "method");
  if (method == "status") {
    return target.ask_status(
        [on_answer](const SiteStatus& status) { on_answer(success(to_json(status))); });
  }
  if (method == "rekey") {
    const auto done = target.rekey(text_in(request, "peer"));
    return on_answer(done ? success(json::object()) : refusal(done.error().message));
  }
  on_answer(refusal("unknown method; there are status and rekey"));
}

}  // namespace penstock::controlplane
