#include "engine_ways.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <utility>

#include "keys.hpp"
#include "penstock/base/check.hpp"
#include "penstock/base/error.hpp"

namespace penstock::bench {
namespace {

template <class T>
T must(Result<T> made) {
  if (made) return std::move(*made);
  std::fprintf(stderr, "%s\n", made.error().message.c_str());
  std::exit(exit_refused);
}

// Job i of a batch that starts at `first` is of keys[(first + i) modulo their number].
template <class Job, class Keys>
std::span<Job> fill(std::span<Job> jobs, std::vector<Keys>& keys, Frames frames,
                    std::size_t first) {
  std::size_t sa = first % keys.size();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    jobs[i] = {.keys = &keys[sa], .frame = frames[i]};
    if (++sa == keys.size()) sa = 0;
  }
  return jobs.first(frames.size());
}

}  // namespace

Engine::Engine(const EngineOptions& options)
    : plan(must(EnginePlan::measure(options))), frames(must(FrameEngine::create(plan))) {}

Sas::Sas(Engine& engine, Protection protection, FrameShape shape, std::size_t count)
    : engine_(engine.frames) {
  const auto expand = [&](std::size_t sa) {
    const KeyMaterial keys{sa};
    return engine_.expand(protection, shape, keys.encrypt, keys.mac);
  };
  for (std::size_t sa = 0; sa < count; ++sa) {
    seal_.emplace_back(expand(sa), Spi{1});
    open_.push_back(expand(sa));
  }
}

Way Sas::seal(const std::string& name, std::size_t batch) {
  auto jobs = std::make_shared<std::array<SealJob, FrameEngine::max_batch>>();
  return {name, in_batches(batch, [this, jobs](Frames frames, std::size_t first) {
            engine_.seal(fill(std::span<SealJob>{*jobs}, seal_, frames, first));
          })};
}

Way Sas::open(const std::string& name, std::size_t batch) {
  auto jobs = std::make_shared<std::array<OpenJob, FrameEngine::max_batch>>();
  return {name, in_batches(batch, [this, jobs](Frames frames, std::size_t first) {
            const auto filled = fill(std::span<OpenJob>{*jobs}, open_, frames, first);
            engine_.open(filled);
            for (const OpenJob& job : filled) check(!job.plaintext.empty(), "a frame was refused");
          })};
}

void Sas::seal_all(const FramePool& pool) { seal("", FrameEngine::max_batch).pass(pool.frames()); }

}  // namespace penstock::bench
