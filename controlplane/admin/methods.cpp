#include "controlplane/admin/methods.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace penstock::controlplane {
namespace {

using nlohmann::json;

json refusal(std::string_view sentence) { return {{"ok", false}, {"error", sentence}}; }
json success(json result) { return {{"ok", true}, {"result", std::move(result)}}; }

json to_json(const ReloadReport& report) {
  return {{"added", report.added},
          {"changed", report.changed},
          {"removed", report.removed},
          {"untouched", report.untouched}};
}

json to_json(const ZeroizeReport& report) {
  return {{"links", report.links},
          {"sessions", report.sessions ? json(*report.sessions) : json(nullptr)},
          {"pipes", report.pipes}};
}

template <class T>
json answer_of(const Result<T>& result) {
  if (!result) return refusal(result.error().message);
  if constexpr (std::is_void_v<T>)
    return success(json::object());
  else
    return success(to_json(*result));
}

// The text under a key; empty when there is none.
std::string text_in(const json& request, const char* key) {
  const auto found = request.find(key);
  return found != request.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

struct Asked {
  AdminTarget& target;
  const Caller& caller;
  const json& request;
  const OnAnswer& on_answer;
};

void status(const Asked& asked) {
  asked.target.ask_status([on_answer = asked.on_answer](const SiteStatus& status) {
    on_answer(success(to_json(status)));
  });
}

void topology(const Asked& asked) {
  asked.target.ask_topology([on_answer = asked.on_answer](const Result<std::string>& text) {
    on_answer(text ? success({{"text", *text}}) : refusal(text.error().message));
  });
}

void rekey(const Asked& asked) {
  asked.on_answer(answer_of(asked.target.rekey(text_in(asked.request, "peer"))));
}

void reload(const Asked& asked) {
  asked.target.reload([on_answer = asked.on_answer](const Result<ReloadReport>& report) {
    on_answer(answer_of(report));
  });
}

void zeroize(const Asked& asked) {
  asked.target.zeroize(asked.caller,
                       [on_answer = asked.on_answer](const Result<ZeroizeReport>& report) {
                         on_answer(answer_of(report));
                       });
}

void restore_key(const Asked& asked) {
  asked.target.restore_key(
      text_in(asked.request, "peer"),
      [on_answer = asked.on_answer](const Result<void>& done) { on_answer(answer_of(done)); });
}

struct Method {
  std::string_view name;
  bool acts;  // rather than reads
  void (*carry_out)(const Asked&);
};

constexpr std::array methods{
    Method{"status", false, status},          Method{"rekey", true, rekey},
    Method{"reload", true, reload},           Method{"zeroize", true, zeroize},
    Method{"restore_key", true, restore_key}, Method{"topology", false, topology},
};

std::string names_of_methods() {
  std::string names;
  for (const Method& method : methods)
    names += (names.empty() ? "" : ", ") + std::string{method.name};
  return names;
}

}  // namespace

void answer_admin(AdminTarget& target, const Caller& caller, std::string_view line,
                  const OnAnswer& on_answer) {
  const json request = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!request.is_object()) {
    return on_answer(refusal("a request is one line with one JSON object"));
  }
  const std::string name = text_in(request, "method");
  const auto method = std::ranges::find(methods, name, &Method::name);
  if (method == methods.end())
    return on_answer(refusal("unknown method; there are " + names_of_methods()));
  if (method->acts && !caller.may_act) {
    return on_answer(refusal(fmt::format(
        "only root may ask for {}: run this as root; others may read the status", name)));
  }
  method->carry_out({target, caller, request, on_answer});
}

}  // namespace penstock::controlplane
