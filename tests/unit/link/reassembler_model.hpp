// What a Reassembler does, said a second time as simply as it can be: for tests that compare the
// two over any frames at all. Copies everything, and is slow.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "penstock/base/limits.hpp"
#include "penstock/link/reassembly_sink.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock::test {

class ReaderModel {
 public:
  using Copy = std::vector<std::byte>;

  void read(Bytes plaintext) {
    if (plaintext.size() < 4 || load_be16(&plaintext[2]) != 0 ||
        load_be16(plaintext.data()) > plaintext.size() - 4) {
      fault(ReassemblyFault::bad_prologue);
      return look_for_a_start(true);
    }
    const Bytes payload = plaintext.subspan(4);
    const std::size_t first = load_be16(plaintext.data());
    const bool starts_none = first == payload.size();
    if (looking_) {
      if (!is_counted_ && first != 0 && !starts_none) fault(ReassemblyFault::incomplete);
      if (!starts_none) looking_ = false;
    } else if (open_) {
      go_on(payload, first);
    } else if (first != 0 && !starts_none) {
      fault(ReassemblyFault::bad_prologue);
    }
    walk(payload.subspan(first));
  }

  void lose() {
    if (looking_) return;
    if (open_ && open_->is_wanted) fault(ReassemblyFault::incomplete);
    look_for_a_start(open_.has_value());
  }

  void fault(ReassemblyFault fault) { ++faults[static_cast<std::size_t>(fault)]; }

  std::vector<std::pair<BlockKind, Copy>> blocks;
  std::array<std::size_t, 5> faults{};
  // A large TCP packet went through several frames: what is saved of one that lost some is not
  // modelled, so from here on only what is held can be compared.
  bool is_unsure = false;

 private:
  struct Open {
    BlockKind kind{};
    bool is_wanted = false;
    std::size_t length = 0;
    std::size_t have = 0;
    Copy bytes;
  };

  void look_for_a_start(bool is_counted) {
    looking_ = true;
    is_counted_ = is_counted;
    open_.reset();
  }

  void go_on(Bytes payload, std::size_t first) {
    const std::size_t left = open_->length - open_->have;
    if (first != left && first != payload.size()) {
      fault(ReassemblyFault::bad_prologue);
      return open_.reset();
    }
    take(payload.first(std::min(left, payload.size())));
  }

  void take(Bytes part) {
    open_->have += part.size();
    if (open_->is_wanted) open_->bytes.insert(open_->bytes.end(), part.begin(), part.end());
    if (open_->have < open_->length) return;
    if (open_->is_wanted) blocks.emplace_back(open_->kind, std::move(open_->bytes));
    open_.reset();
  }

  void walk(Bytes rest) {
    while (rest.size() >= 4 && load_u8(rest.data()) != 0) {
      const unsigned kind = load_u8(rest.data());
      const std::size_t length = load_be24(&rest[1]);
      if (kind > 4) fault(ReassemblyFault::unknown_kind);
      if (kind <= 4 && length > limits::max_block) fault(ReassemblyFault::bad_block);
      open_ = Open{.kind = static_cast<BlockKind>(kind),
                   .is_wanted = kind <= 4 && length <= limits::max_block,
                   .length = length,
                   .have = 0,
                   .bytes = {}};
      rest = rest.subspan(4);
      const Bytes part = rest.first(std::min(length, rest.size()));
      take(part);
      rest = rest.subspan(part.size());
      if (open_ && open_->kind == BlockKind::offload_ethernet) is_unsure = true;
    }
  }

  std::optional<Open> open_;
  bool looking_ = false;  // behind a loss, for where a block starts
  bool is_counted_ = false;
};

class ReassemblerModel {
 public:
  ReassemblerModel(std::size_t budget, std::uint64_t wait) : budget_(budget), wait_(wait) {}

  void accept(std::uint64_t number, Bytes plaintext, std::uint64_t now) {
    if (number < next_ || number == last_sequence.value || held_.contains(number))
      return reader.fault(ReassemblyFault::late_frame);
    if (number - next_ >= limits::reorder_window) skip_to(number - limits::reorder_window + 1);
    while (number != next_ && held_.size() >= budget_) skip_to(std::min(number, first_held()));
    held_[number] = {.plaintext = {plaintext.begin(), plaintext.end()}, .arrived = now};
    read_on();
  }
  void expire(std::uint64_t now) {
    std::uint64_t due = next_;
    for (const auto& [number, frame] : held_)
      if (frame.arrived + wait_ <= now) due = number;
    skip_to(due);
  }
  void flush() {
    while (!held_.empty()) skip_to(first_held());
    reader.lose();
  }
  [[nodiscard]] std::size_t held() const { return held_.size(); }

  ReaderModel reader;

 private:
  struct Frame {
    std::vector<std::byte> plaintext;
    std::uint64_t arrived = 0;
  };

  [[nodiscard]] std::uint64_t first_held() const {
    return held_.empty() ? last_sequence.value : held_.begin()->first;
  }
  void skip_to(std::uint64_t number) {
    while (next_ < number) {
      next_ = std::min(number, first_held());
      reader.lose();
      read_on();
    }
  }
  void read_on() {
    for (; !held_.empty() && held_.begin()->first == next_; ++next_) {
      reader.read(held_.begin()->second.plaintext);
      held_.erase(held_.begin());
    }
  }

  std::size_t budget_;
  std::uint64_t wait_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, Frame> held_;
};

}  // namespace penstock::test
