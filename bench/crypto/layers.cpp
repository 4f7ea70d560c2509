#include "layers.hpp"

#include <memory>
#include <optional>

#include "evp.hpp"
#include "raw_hmac.hpp"
#include "raw_ways.hpp"

namespace penstock::bench {
namespace {

class Layers {
 public:
  Layers(const Trial& trial, Rig& rig)
      : trial_(trial), rig_(rig), shape_(shape_of(trial.protection, trial.frame_bytes)) {}

  Rows run() {
    if (is_aead(trial_.protection))
      add_aead();
    else
      add_hmac();
    add_engine(1);
    add_engine(32);
    add_engine(1000);
    add_evp();
    contest_.run(trial_.budget);
    Rows rows;
    for (std::size_t way = 0; way < contest_.size(); ++way) rows.push_back(row(way));
    return rows;
  }

 private:
  struct Group {
    Group(Engine& engine, Protection protection, FrameShape shape, std::size_t count)
        : sas(engine, protection, shape, count), received(shape) {
      sas.seal_all(received);
    }
    Sas sas;
    FramePool received;
  };

  Group& group(std::size_t count) {
    auto& made = groups_[count];
    if (!made) made = std::make_unique<Group>(rig_.engine, trial_.protection, shape_, count);
    return *made;
  }

  std::size_t add(Way way, std::size_t sas) {
    if (trial_.direction == Direction::open) way.received = &group(sas).received;
    sas_.push_back(sas);
    return contest_.add(std::move(way));
  }

  void add_hmac() {
    const auto raw = std::make_shared<RawHmac>(rig_.managers.front(), trial_.protection, shape_,
                                               trial_.direction);
    const auto layer = [&](const char* name, void (RawHmac::*call)(Frames)) {
      return add(
          {name, in_batches(trial_.batch,
                            [raw, call](Frames frames, std::size_t) { ((*raw).*call)(frames); })},
          1);
    };
    cipher_ = layer("cipher", &RawHmac::cipher);
    hash_ = layer("hash", &RawHmac::hash);
    raw_.push_back(layer("both", &RawHmac::both));
    chained_ = layer("chained", &RawHmac::chained);
  }

  void add_aead() {
    for (Way& way :
         raw_ways(rig_.managers, trial_.protection, shape_, trial_.direction, trial_.batch)) {
      way.name = way.name.substr(way.name.rfind('-') + 1);
      raw_.push_back(add(std::move(way), 1));
    }
  }

  void add_engine(std::size_t count) {
    const bool seals = trial_.direction == Direction::seal;
    const std::string name = seals ? "seal" : "open";
    Sas& sas = group(count).sas;
    const std::string full = count == 1 ? name : name + "-" + std::to_string(count) + "-sas";
    const std::size_t way =
        add(seals ? sas.seal(full, trial_.batch) : sas.open(full, trial_.batch), count);
    if (count == 1) one_sa_ = way;
  }

  void add_evp() {
    const auto evp = std::make_shared<Evp>(trial_.protection, shape_, trial_.direction);
    add({"evp", in_batches(trial_.batch, [evp](Frames frames, std::size_t) { evp->run(frames); })},
        1);
  }

  Row row(std::size_t way) const {
    Row row = measured(contest_, way, trial_);
    row.name += "/" + contest_.name(way);
    row.sas = sas_[way];
    row.ratio_to_raw = contest_.ratio(way, contest_.fastest(raw_));
    if (chained_) row.ratio_to_chained = contest_.ratio(way, *chained_);
    if (row.sas > 1) row.ratio_to_one_sa = contest_.ratio(way, one_sa_);
    if (cipher_ && way != *cipher_ && way != *hash_)
      row.ratio_to_parts = contest_.ratio_to_sum(way, *cipher_, *hash_);
    return row;
  }

  const Trial& trial_;
  Rig& rig_;
  FrameShape shape_;
  FramePool pool_{shape_};
  std::map<std::size_t, std::unique_ptr<Group>> groups_;
  Contest contest_{pool_, trial_.batch};
  std::vector<std::size_t> sas_;  // of each way
  std::vector<std::size_t> raw_;
  std::size_t one_sa_ = 0;
  std::optional<std::size_t> cipher_;
  std::optional<std::size_t> hash_;
  std::optional<std::size_t> chained_;
};

}  // namespace

Rows run_layers(const Trial& trial, Rig& rig) { return Layers{trial, rig}.run(); }

}  // namespace penstock::bench
