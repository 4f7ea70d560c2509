// Any line at the admin socket: it is answered exactly once, with one JSON object that says
// whether it was done or in a sentence why not; and who may only read changes nothing.
//
// Input: u8 flags (1: the caller may act; 2: what was asked for is done later; 4: it fails), and
// the line.
#include <string_view>
#include <utility>

#include "fuzz.hpp"

#include "controlplane/admin/methods.hpp"

using namespace penstock;
using namespace penstock::controlplane;

namespace {

class RecordingTarget final : public AdminTarget {
 public:
  RecordingTarget(bool is_late, bool fails) : is_late_(is_late), fails_(fails) {}

  void ask_status(std::function<void(SiteStatus)> on_status) override {
    ++reads;
    SiteStatus status;
    status.links.emplace_back();
    answer([on_status, status] { on_status(status); });
  }
  void ask_topology(std::function<void(const Result<std::string>&)> on_text) override {
    ++reads;
    if (fails_)
      answer([on_text] { on_text(fail(ErrorKind::missing, "it does not run")); });
    else
      answer([on_text] { on_text("worker 0\n"); });
  }
  Result<void> rekey(std::string_view peer) override {
    ++acts;
    if (fails_) return fail(ErrorKind::missing, "no link to " + std::string{peer});
    return {};
  }
  void reload(OnReloaded on_reloaded) override {
    act<ReloadReport>(std::move(on_reloaded), {.added = {"beta"}});
  }
  void zeroize(const Caller& caller, OnZeroized on_zeroized) override {
    fuzz::require(caller.may_act);
    act<ZeroizeReport>(std::move(on_zeroized), {.links = 1});
  }
  void restore_key(const std::string& peer, OnDone on_done) override {
    ++acts;
    answer([this, peer, on_done = std::move(on_done)] {
      on_done(fails_ ? Result<void>{fail(ErrorKind::missing, "no link to " + peer)}
                     : Result<void>{});
    });
  }

  void answer_late() {
    if (late_) std::exchange(late_, nullptr)();
  }

  unsigned reads = 0;
  unsigned acts = 0;

 private:
  template <class T>
  void act(std::function<void(Result<T>)> on_done, T report) {
    ++acts;
    answer([this, on_done = std::move(on_done), report = std::move(report)] {
      on_done(fails_ ? Result<T>{fail(ErrorKind::busy, "it is busy")} : Result<T>{report});
    });
  }
  void answer(std::function<void()> give) {
    if (is_late_)
      late_ = std::move(give);
    else
      give();
  }

  bool is_late_;
  bool fails_;
  std::function<void()> late_;
};

// What the server puts on the socket.
void require_good(const nlohmann::json& answer) {
  const std::string line = answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  fuzz::require(!line.contains('\n'));
  const nlohmann::json read = nlohmann::json::parse(line, nullptr, false);
  fuzz::require(read.is_object() && read.contains("ok") && read["ok"].is_boolean());
  if (read["ok"] == true)
    fuzz::require(read.contains("result"));
  else
    fuzz::require(read["error"].is_string() && !read["error"].get<std::string>().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool may_act = (data[0] & 1) != 0;
  RecordingTarget target{(data[0] & 2) != 0, (data[0] & 4) != 0};
  unsigned answers = 0;
  answer_admin(target, {.uid = 1000, .pid = 1, .may_act = may_act},
               {reinterpret_cast<const char*>(data) + 1, size - 1},
               [&](const nlohmann::json& answer) {
                 ++answers;
                 require_good(answer);
               });
  target.answer_late();
  fuzz::require(answers == 1);
  fuzz::require(target.reads + target.acts <= 1);
  fuzz::require(may_act || target.acts == 0);
  return 0;
}
