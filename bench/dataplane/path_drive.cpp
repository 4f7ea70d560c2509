#include "bench/dataplane/path_drive.hpp"

#include "penstock/base/check.hpp"
#include "penstock/base/clock.hpp"

#include "dataplane/inbound/path.hpp"
#include "dataplane/outbound/path.hpp"

namespace penstock::bench {
namespace {

using namespace dataplane;

class WorkerDrive final : public Drive {
 public:
  WorkerDrive(Lab& lab, Protection protection, PlainEnd& plain, WireEnd& wire)
      : site_(lab, 1, plain, wire) {
    const auto session = path_session(1, protection);
    const Session& share = site_.install(session);
    confirm(lab, site_, wire, session);
    check(share.state() == ipc::SessionState::current, "a good frame confirms a session");
  }
  void turn() override { site_.worker.turn(monotonic_now()); }
  std::uint64_t received() const override { return 1; }

 private:
  Site site_;
};

// Without SessionLife's part in it: all are current, and stay so.
class StepsDrive final : public Drive {
 public:
  StepsDrive(Lab& lab, const PathLoad& load, PlainEnd& plain, WireEnd& wire)
      : is_out_(load.direction == PathDirection::encap),
        mailbox_(0),
        engine_(lab.engine()),
        hops_(*parse_prefix("192.0.2.0/24"), std::nullopt),
        directory_({.max_frame_size = path_frame, .self = identity(1), .held = {&held_}}, engine_,
                   hops_),
        out_{.plain = plain,
             .wire = wire,
             .engine = engine_,
             .sessions = table_,
             .count = count_,
             .outbox = outbox_,
             .buffers = BufferStash{lab.frames(), BufferStash::most_ahead}},
        in_{.wire = wire,
            .plain = plain,
            .engine = engine_,
            .sessions = table_,
            .life = life_,
            .count = count_,
            .outbox = outbox_,
            .buffers = BufferStash{lab.frames()},
            .punt_buffers = BufferStash{lab.punts()},
            .self = identity(1),
            .longest_packet = 9022,
            .gaps = DueHeap<InboundSa>{held_.limit}} {
    mailbox_.main_wake = &main_wake_;
    hops_.find(identity(2).endpoint.address, {});
    check(hops_.learn(identity(2).endpoint.address, identity(2).mac, {}), "the next hop is news");
    for (std::uint32_t number = 1; number <= load.sessions; ++number)
      add(path_session(number, load.protection, links));
  }
  ~StepsDrive() override {
    for (Session* session : shares_) {
      outbound::finish_open(out_, *session->out, {});
      inbound::flush(in_, *session, {});
    }
  }
  StepsDrive(const StepsDrive&) = delete;
  StepsDrive& operator=(const StepsDrive&) = delete;

  void turn() override {
    const Time now = monotonic_now();
    if (is_out_)
      turn_out(now);
    else
      inbound::run(in_, now);
  }
  std::uint64_t received() const override { return 0; }

 private:
  static constexpr std::uint32_t links = 1000;

  void add(const ipc::InstallSession& session) {
    const auto record = directory_.install(session, {});
    check(record.has_value(), "a session that may be installed");
    Session* const share = (*record)->shares[0].get();
    share->set_state(ipc::SessionState::current);
    share->attentive_until = Time::min();
    table_.insert(*share);
    shares_.push_back(share);
  }
  void turn_out(Time now) {
    outbound::receive(out_);
    for (outbound::Packet& packet : std::span{out_.packets}.first(out_.packet_count)) {
      packet.sa = &*shares_[next_]->out;
      next_ = next_ + 1 == shares_.size() ? 0 : next_ + 1;
    }
    outbound::fetch(out_);
    for (bool more = true; more;) {
      more = outbound::pack(out_, now);
      if (!more) outbound::flush(out_, now);
      outbound::seal(out_, now);
      outbound::emit(out_);
    }
    out_.plain.release();
  }

  bool is_out_;
  Wake main_wake_;
  Mailbox mailbox_;
  WorkerCounters count_;
  Outbox outbox_{mailbox_, count_};
  FrameEngine engine_;
  HeldBudget held_{.limit = 1024};
  endpoint::NextHops hops_;
  SessionDirectory directory_;
  SessionTable table_;
  SessionLife life_{table_};
  outbound::Path out_;
  inbound::Path in_;
  std::vector<Session*> shares_;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Drive> make_drive(Lab& lab, const PathLoad& load, PlainEnd& plain, WireEnd& wire) {
  if (load.sessions == 1 && !load.is_in_turn)
    return std::make_unique<WorkerDrive>(lab, load.protection, plain, wire);
  return std::make_unique<StepsDrive>(lab, load, plain, wire);
}

}  // namespace penstock::bench
