#include "penstock/crypto/engine_plan.hpp"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "choices.hpp"
#include "measure.hpp"

namespace penstock {
namespace {

using Choices = EnginePlan::Choices;
using Vectors = EngineOptions::Vectors;

constexpr std::string_view no_protection = "nothing is encrypted, nothing is authenticated";

std::size_t index_of(Protection protection) {
  const auto* const row = std::ranges::find(protections, protection, &ProtectionTraits::protection);
  return static_cast<std::size_t>(row - protections.begin());
}

// The first that no later one clearly undercuts, so that noise does not choose between equals.
std::size_t least(const std::vector<double>& costs) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < costs.size(); ++i)
    if (costs[i] < costs[best] * HashPlan::clearly_less) best = i;
  return best;
}

// " (AVX2 191, SSE 193)": what the others would have cost, or nothing where there are none.
std::string describe_others(const std::vector<ManagerKind>& managers,
                            const std::vector<double>& costs, std::size_t chosen) {
  std::string others;
  for (std::size_t i = 0; i < costs.size(); ++i)
    if (i != chosen)
      others += fmt::format("{}{} {:.0f}", others.empty() ? " (" : ", ", name(managers[i].vectors),
                            costs[i]);
  return others.empty() ? others : others + ")";
}

// "AVX512 97 ns (AVX2 191, SSE 193)"
std::string compare(const std::vector<ManagerKind>& managers, const std::vector<double>& costs) {
  const std::size_t best = least(costs);
  return fmt::format("{} {:.0f} ns{}", name(managers[best].vectors), costs[best],
                     describe_others(managers, costs, best));
}

// One manager and its rivals, as above; or "8 by AVX512 and 3 by SSE 430 ns".
std::string describe_cut(const std::vector<ManagerKind>& managers, const CtrHmacCosts& costs,
                         const HashPlan& plan, std::size_t frames) {
  const HashPlan::Cut& cut = plan.cut(frames);
  const auto* const whole = std::ranges::find(cut, frames);
  const auto count = static_cast<double>(frames);
  if (whole == cut.end()) {
    std::string text;
    for (std::size_t i = 0; i < managers.size(); ++i)
      if (cut[i] != 0)
        text += fmt::format("{}{} by {}", text.empty() ? "" : " and ", cut[i],
                            name(managers[i].vectors));
    return fmt::format("{} {:.0f} ns", text, plan.cost(frames) / count);
  }
  const auto chosen = static_cast<std::size_t>(whole - cut.begin());
  std::vector<double> each;
  for (const HashPlan::Costs& manager : costs.hash) each.push_back(manager[frames] / count);
  return fmt::format("{} {:.0f} ns{}", name(managers[chosen].vectors), each[chosen],
                     describe_others(managers, each, chosen));
}

std::size_t preferred(const HashPlan& plan, double cipher) {
  constexpr double a_tie = 1.01;
  const auto cost = [&](std::size_t frames) {
    return cipher + plan.cost(frames) / static_cast<double>(frames);
  };
  std::size_t best = 1;
  for (std::size_t frames = 1; frames <= max_batch; ++frames)
    if (cost(frames) <= cost(best) * a_tie) best = frames;
  return best;
}

void choose_ctr_hmac(Protection protection, std::span<IMB_MGR* const> managers, Choices& choices,
                     CtrHmacChoice& choice) {
  const CtrHmacCosts costs = measure_ctr_hmac(protection, managers);
  choice = {.cipher = least(costs.cipher), .hash = HashPlan{costs.hash}};
  const std::size_t index = index_of(protection);
  choices.texts[index] =
      fmt::format("a frame of 1472 bytes: cipher {}; MAC among 16 {}; MAC alone {}",
                  compare(choices.managers, costs.cipher),
                  describe_cut(choices.managers, costs, choice.hash, HashPlan::most_lanes),
                  describe_cut(choices.managers, costs, choice.hash, 1));
  choices.batch_sizes[index] = preferred(choice.hash, costs.cipher[choice.cipher]);
}

std::size_t choose_aead(Protection protection, const std::vector<double>& costs,
                        std::string_view way, Choices& choices) {
  choices.texts[index_of(protection)] =
      fmt::format("a frame of 1472 bytes: {} {}", way, compare(choices.managers, costs));
  return least(costs);
}

std::string library_version() { return fmt::format("ipsec-mb {}", imb_get_version_str()); }

std::string summarise(const IpsecMbManager& widest) {
  std::string text = fmt::format("{} on {}", library_version(), name(widest.kind().vectors));
  const auto add = [&text](bool has, std::string_view what) {
    if (has) text += fmt::format(", {}", what);
  };
  add(widest.has(IMB_CPUFLAGS_AVX512_T2), "VAES");
  add(widest.has(IMB_FEATURE_SHANI), "SHA-NI");
  return text;
}

Choices slow_choices() {
  Choices choices;
  choices.is_slow = true;
  choices.summary = "OpenSSL's portable code: this CPU has no AES instructions";
  choices.texts.fill("OpenSSL, a frame at a time");
  choices.texts[index_of(Protection::none)] = no_protection;
  choices.batch_sizes.fill(1);
  return choices;
}

Result<Choices> measured_choices(const EngineOptions& options) {
  Choices choices;
  std::vector<IpsecMbManager> managers;
  std::vector<IMB_MGR*> raw;
  for (const Vectors vectors : {Vectors::avx512, Vectors::avx2, Vectors::sse}) {
    if (vectors > options.vectors || !IpsecMbManager::cpu_runs(vectors)) continue;
    const ManagerKind kind{.vectors = vectors, .sha_instructions = options.sha_instructions};
    auto manager = IpsecMbManager::create(kind);
    if (!manager) return std::unexpected{manager.error()};
    choices.managers.push_back(kind);
    raw.push_back(manager->get());
    managers.push_back(std::move(*manager));
  }
  choices.summary = summarise(managers.front());
  choices.batch_sizes.fill(max_batch);
  choices.is_for_pipes = options.is_for_pipes;
  choices.texts.fill("not measured");
  choose_ctr_hmac(Protection::aes256_ctr_sha256, raw, choices, choices.aes256_ctr_sha256);
  if (options.is_for_pipes) return choices;
  choose_ctr_hmac(Protection::aes128_ctr_sha256, raw, choices, choices.aes128_ctr_sha256);
  choose_ctr_hmac(Protection::aes256_ctr_sha384, raw, choices, choices.aes256_ctr_sha384);
  choices.gcm = choose_aead(Protection::aes256_gcm, measure_gcm(raw), "direct calls,", choices);
  choices.chacha20 =
      choose_aead(Protection::chacha20_poly1305, measure_chacha20(raw), "bursts of jobs,", choices);
  choices.texts[index_of(Protection::none)] = no_protection;
  return choices;
}

}  // namespace

Result<EnginePlan> EnginePlan::measure(const EngineOptions& options) {
  if (!options.aes_instructions || !IpsecMbManager::cpu_runs(Vectors::sse)) {
    if (!options.allow_slow)
      return fail(ErrorKind::missing,
                  "this CPU has no AES instructions: run on one that has AES-NI, choose a VM type "
                  "that shows it to the guest, or set slow_crypto = true under [site]");
    return EnginePlan{std::make_shared<const Choices>(slow_choices())};
  }
  auto choices = measured_choices(options);
  if (!choices) return std::unexpected{choices.error()};
  return EnginePlan{std::make_shared<const Choices>(std::move(*choices))};
}

std::string EnginePlan::describe() const { return choices_->summary; }
std::string EnginePlan::describe(Protection protection) const {
  return choices_->texts[index_of(protection)];
}
bool EnginePlan::is_slow() const { return choices_->is_slow; }
std::size_t EnginePlan::preferred_batch(Protection protection) const {
  return choices_->batch_sizes[index_of(protection)];
}

}  // namespace penstock
