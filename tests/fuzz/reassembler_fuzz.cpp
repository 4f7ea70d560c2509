// A peer with the key: arbitrary plaintexts under arbitrary numbers. Whatever it sends,
// every frame is released once, no block is longer than it may be or lies outside a frame
// or the assembly buffer, and no more is held than the window and the budget allow. What comes
// out, what is held and what is counted is what a simple model says.
//
// Input: u8 budget, then steps. u8 op:
//   0..127    accept: the next number plus (op & 15) - 4; be16 length; plaintext
//   128..159  accept at an absolute number: be64; be16 length; plaintext
//   160..223  time goes on by op - 160, and what is due expires
//   224..255  flush
#include "penstock/link/reassembler.hpp"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "fuzz.hpp"
#include "tests/unit/link/reassembler_model.hpp"

using namespace penstock;

namespace {

constexpr std::uint64_t wait = 100;

// A frame on the heap, of exactly its length, freed when it is released: the address
// sanitizer sees whoever touches it afterwards or beyond its end.
using Frame = std::vector<std::byte>;

struct Sink {
  void block(BlockKind kind, Bytes bytes) noexcept {
    fuzz::require(kind >= BlockKind::ethernet && kind <= BlockKind::control);
    fuzz::require(bytes.size() <= limits::max_block);
    if (model.reader.is_unsure) return;
    fuzz::require(seen < model.reader.blocks.size());
    const auto& [expected_kind, expected] = model.reader.blocks[seen++];
    fuzz::require(kind == expected_kind && std::ranges::equal(bytes, expected));
  }
  void release(void* frame) noexcept {
    fuzz::require(open.erase(static_cast<Frame*>(frame)) == 1);
    delete static_cast<Frame*>(frame);
  }
  void fault(ReassemblyFault fault) noexcept { ++faults[static_cast<std::size_t>(fault)]; }

  const test::ReassemblerModel& model;
  std::unordered_set<Frame*> open{};
  std::size_t seen = 0;
  std::array<std::size_t, 5> faults{};
};

class Peer {
 public:
  explicit Peer(Bytes input) : input_(input), budget_{.limit = load_u8(take(1).data())} {}

  void run() {
    while (!input_.empty()) {
      step(load_u8(take(1).data()));
      fuzz::require(budget_.held == sink_.open.size() && budget_.held == model_.held());
      fuzz::require(model_.reader.is_unsure || (sink_.seen == model_.reader.blocks.size() &&
                                                sink_.faults == model_.reader.faults));
      fuzz::require(budget_.held <= budget_.limit && budget_.held < limits::reorder_window);
      fuzz::require(reassembler_.has_gap() == (budget_.held > 0));
    }
    model_.flush();
    reassembler_.flush(sink_);
    fuzz::require(sink_.open.empty() && budget_.held == 0);
  }

 private:
  void step(unsigned op) {
    if (op < 128) {
      accept(next_ + (op & 15) - 4);
    } else if (op < 160) {
      accept(load_be64(take(8).data()));
    } else if (op < 224) {
      now_ += op - 160;
      model_.expire(now_);
      reassembler_.expire(now_, sink_);
      fuzz::require(!reassembler_.has_gap() || reassembler_.deadline() > now_);
    } else {
      model_.flush();
      reassembler_.flush(sink_);
    }
  }

  void accept(std::uint64_t number) {
    const std::size_t length = load_be16(take(2).data());
    const Bytes plaintext = input_.first(std::min(length, input_.size()));
    input_ = input_.subspan(plaintext.size());
    auto* frame = new Frame(plaintext.begin(), plaintext.end());
    sink_.open.insert(frame);
    model_.accept(number, *frame, now_);
    reassembler_.accept({number}, *frame, frame, now_, sink_);
    next_ = number + 1;
  }

  // Zeros where the input ends.
  Bytes take(std::size_t length) {
    scratch_.fill(std::byte{});
    const Bytes part = input_.first(std::min(length, input_.size()));
    std::ranges::copy(part, scratch_.begin());
    input_ = input_.subspan(part.size());
    return scratch_;
  }

  Bytes input_;
  std::array<std::byte, 8> scratch_{};
  HeldBudget budget_;
  Reassembler reassembler_{budget_, wait};
  test::ReassemblerModel model_{budget_.limit, wait};
  Sink sink_{.model = model_};
  std::uint64_t next_ = 0;
  std::uint64_t now_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Peer(fuzz::bytes(data, size)).run();
  return 0;
}
