#include "bench/dataplane/path_rig.hpp"

#include <algorithm>
#include <array>

#include "bench/common/turns.hpp"
#include "bench/dataplane/path_drive.hpp"
#include "penstock/base/check.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/link/packer.hpp"

#include "dataplane/buffer_stash.hpp"

namespace penstock::bench {
namespace {

using namespace dataplane;

constexpr std::size_t frames_a_pass = 2048;
constexpr std::size_t packet_memory = std::size_t{192}
                                      << 10;  // beside the frames in a cache of 1 MB

}  // namespace

double seconds_of_cycles(std::uint64_t cycles) {
  return static_cast<double>(cycles) / cycles_per_second();
}

std::vector<std::vector<std::byte>> PacketMix::make(std::size_t memory) const {
  constexpr std::array<std::size_t, 12> imix{64, 570, 64, 64, 570, 64, 1500, 64, 570, 64, 64, 570};
  const std::vector<std::size_t> sizes =
      bytes == 0 ? std::vector<std::size_t>{imix.begin(), imix.end()} : std::vector{bytes};
  std::size_t sum = 0;
  for (const std::size_t size : sizes) sum += size;
  const std::size_t cycles =
      std::clamp<std::size_t>(memory / sum, 32 / sizes.size() + 1, 256 / sizes.size());
  std::vector<std::vector<std::byte>> packets;
  for (std::size_t i = 0; i < cycles * sizes.size(); ++i) {
    auto& packet = packets.emplace_back(sizes[i % sizes.size()]);
    for (std::size_t at = 0; at < packet.size(); ++at)
      packet[at] = static_cast<std::byte>(at * 7 + i);
    store_be16(&packet[12], 0x88b5);  // IEEE 802: for experiments
  }
  return packets;
}

FrameStream::FrameStream(const PathLoad& load, std::size_t frames) {
  const FrameShape shape{.size = path_frame, .tag = fit_tag(load.protection, limits::default_tag)};
  const auto all = load.packets.make(packet_memory);
  FramePacker packer;
  const auto begin = [&] {
    plaintexts.emplace_back(shape.plaintext());
    packer.begin(MutableBytes{plaintexts.back()});
  };
  begin();
  for (std::size_t i = 0;; ++i) {
    const auto& packet = all[i % all.size()];
    if (plaintexts.size() + frames_needed(packet.size(), packer.room(), shape.payload()) > frames)
      break;
    BlockSource block{BlockKind::ethernet, Bytes{packet}};
    for (packer.append(block); !block.is_done(); packer.append(block)) {
      packer.finish();
      begin();
    }
    ++packets;
    bytes += packet.size();
  }
  packer.finish();
}

void confirm(Lab& lab, Site& site, WireEnd& wire, const ipc::InstallSession& session) {
  FrameEngine engine = lab.engine();
  SealKeys keys = far_keys(engine, session);
  std::vector<std::byte> plaintext(keys.shape().plaintext());
  FramePacker packer;
  packer.begin(MutableBytes{plaintext});
  packer.finish();
  rte_mbuf* buffer = rte_pktmbuf_alloc(lab.frames());
  check(buffer != nullptr, "a buffer for a frame");
  SealJob job{.keys = &keys, .frame = put_frame(buffer, far_header(), plaintext)};
  engine.seal(std::span{&job, 1});
  wire.bring(std::span{&buffer, 1});
  site.worker.turn(monotonic_now());
  site.worker.turn(monotonic_now());
}

namespace {

// The engine on buffers of the same pool.
class Encap final : public PathRig {
 public:
  Encap(Lab& lab, const PathLoad& load)
      : pool_(lab.frames()),
        drive_(make_drive(lab, load, plain_, wire_)),
        engine_(lab.engine()),
        keys_(far_keys(engine_, path_session(limits::max_sessions - 1, load.protection))) {
    plain_.bring(load.packets.make(packet_memory));
    check(rte_pktmbuf_alloc_bulk(pool_, buffers_.data(), alone) == 0, "enough buffers");
    run_turns(64);
    turns_ = std::max<std::size_t>(8, frames_a_pass * 64 / std::max<std::size_t>(frames_, 1));
  }
  ~Encap() override { rte_pktmbuf_free_bulk(buffers_.data(), alone); }

  double path() override {
    const std::uint64_t packets = plain_.brought();
    const double seconds = seconds_of([this] { run_turns(turns_); });
    batches_.assign(wire_.batches().begin(), wire_.batches().end());
    packets_a_frame_ = static_cast<double>(plain_.brought() - packets) / frames();
    bytes_a_frame_ = packets_a_frame_ * plain_.bytes_a_packet();
    return seconds / frames();
  }

  double ports() override {
    std::array<PacketView, 64> views;
    const double received = seconds_of([&] {
      for (std::size_t i = 0; i < turns_; ++i) {
        check(plain_.receive(views) == views.size(), "packets without end");
        plain_.release();
      }
    });
    std::uint64_t cycles = 0;
    std::array<rte_mbuf*, 64> buffers;
    for (const std::uint8_t count : batches_) {
      check(rte_pktmbuf_alloc_bulk(pool_, buffers.data(), count) == 0, "enough buffers");
      const std::uint64_t start = time_stamp();
      static_cast<void>(wire_.send(std::span{buffers}.first(count)));
      cycles += time_stamp() - start;
    }
    return (received + seconds_of_cycles(cycles)) / frames();
  }

  double crypto() override {
    std::array<SealJob, 64> jobs;
    std::size_t at = 0;
    const double seconds = seconds_of([&] {
      for (const std::uint8_t count : batches_) {
        for (std::size_t i = 0; i < count; ++i, at = (at + 1) % buffers_.size())
          jobs[i] = {.keys = &keys_, .frame = frame_in(buffers_[at])};
        engine_.seal(std::span{jobs}.first(count));
      }
    });
    return seconds / frames();
  }

 private:
  [[nodiscard]] double frames() const { return static_cast<double>(frames_); }
  void run_turns(std::size_t turns) {
    wire_.clear();
    const std::uint64_t before = wire_.frames();
    for (std::size_t i = 0; i < turns; ++i) drive_->turn();
    frames_ = wire_.frames() - before;
  }

  rte_mempool* pool_;
  PlainEnd plain_{2048};
  WireEnd wire_;
  std::unique_ptr<Drive> drive_;
  FrameEngine engine_;
  SealKeys keys_;
  static constexpr unsigned alone = 128;
  std::array<rte_mbuf*, alone> buffers_{};
  std::vector<std::uint8_t> batches_;
  std::size_t turns_ = 0;
  std::size_t frames_ = 0;
};

class Decap final : public PathRig {
 public:
  // Three turns' frames at a time are sealed and then opened: they stay in the cache meanwhile.
  static constexpr std::size_t most = 192;

  Decap(Lab& lab, const PathLoad& load)
      : pool_(lab.frames()),
        stream_(load, most),
        plain_(load.packets.bytes <= 2048 ? 2048 : 9216),
        drive_(make_drive(lab, load, plain_, wire_)),
        engine_(lab.engine()) {
    for (std::uint32_t number = 1; number <= load.sessions; ++number) {
      far_.push_back(far_keys(engine_, path_session(number, load.protection)));
      far_.back().skip_to({drive_->received()});
    }
    const auto other = path_session(limits::max_sessions - 1, load.protection);
    alone_.push_back(far_keys(engine_, other));
    const FrameShape shape = alone_[0].shape();
    open_ = std::make_unique<ExpandedKeys>(
        engine_.expand(load.protection, shape, EncryptKey{std::span{other.in[0].encrypt}},
                       MacKey{std::span{other.in[0].mac}}));
    packets_a_frame_ = static_cast<double>(stream_.packets) / static_cast<double>(count());
    bytes_a_frame_ = static_cast<double>(stream_.bytes) / static_cast<double>(count());
  }

  double path() override {
    const std::uint64_t delivered = plain_.delivered();
    double seconds = 0;
    for (std::size_t i = 0; i < chunks; ++i) {
      fill(far_);
      wire_.bring(std::span{buffers_}.first(count()));
      seconds += seconds_of([this] {
        while (!wire_.is_empty()) drive_->turn();
      });
    }
    check(plain_.delivered() - delivered == chunks * stream_.packets, "every packet arrived");
    return seconds / frames();
  }

  double ports() override {
    std::uint64_t cycles = 0;
    std::array<PacketView, 64> views;
    for (std::size_t i = 0; i < chunks; ++i) {
      check(rte_pktmbuf_alloc_bulk(pool_, buffers_.data(), static_cast<unsigned>(count())) == 0,
            "enough buffers");
      wire_.bring(std::span{buffers_}.first(count()));
      const std::uint64_t start = time_stamp();
      while (!wire_.is_empty()) {
        for (PacketView& view : std::span{views}.first(wire_.receive(views))) view.mbuf = nullptr;
        wire_.release();
      }
      for (std::size_t left = stream_.packets; left > 0;)
        left -= plain_.commit(std::min(left, plain_.reserve(64).size()));
      cycles += time_stamp() - start;
      rte_pktmbuf_free_bulk(buffers_.data(), static_cast<unsigned>(count()));
    }
    return seconds_of_cycles(cycles) / frames();
  }

  double crypto() override {
    double seconds = 0;
    for (std::size_t i = 0; i < chunks; ++i) {
      fill(alone_);
      seconds += seconds_of([this] { open_all(); });
      rte_pktmbuf_free_bulk(buffers_.data(), static_cast<unsigned>(count()));
    }
    return seconds / frames();
  }

 private:
  static constexpr std::size_t chunks = frames_a_pass / most;

  [[nodiscard]] std::size_t count() const { return stream_.plaintexts.size(); }
  [[nodiscard]] double frames() const { return static_cast<double>(chunks * count()); }

  // Frames as they come from the far side, sealed by these SAs in turn.
  void fill(std::vector<SealKeys>& keys) {
    check(rte_pktmbuf_alloc_bulk(pool_, buffers_.data(), static_cast<unsigned>(count())) == 0,
          "enough buffers");
    std::array<SealJob, 64> jobs;
    for (std::size_t first = 0; first < count(); first += jobs.size()) {
      const std::size_t some = std::min(jobs.size(), count() - first);
      for (std::size_t i = 0; i < some; ++i, sa_ = (sa_ + 1) % keys.size())
        jobs[i] = {.keys = &keys[sa_ % keys.size()],
                   .frame = put_frame(buffers_[first + i], header_, stream_.plaintexts[first + i])};
      engine_.seal(std::span{jobs}.first(some));
    }
  }
  void open_all() {
    std::array<OpenJob, 64> jobs;
    for (std::size_t first = 0; first < count(); first += jobs.size()) {
      const std::size_t some = std::min(jobs.size(), count() - first);
      for (std::size_t i = 0; i < some; ++i)
        jobs[i] = {.keys = open_.get(), .frame = frame_in(buffers_[first + i])};
      engine_.open(std::span{jobs}.first(some));
      check(!jobs[0].plaintext.empty(), "a frame of the far side opens");
    }
  }

  rte_mempool* pool_;
  FrameStream stream_;
  PlainEnd plain_;
  WireEnd wire_;
  std::unique_ptr<Drive> drive_;
  FrameEngine engine_;
  std::vector<SealKeys> far_;
  std::vector<SealKeys> alone_;
  std::unique_ptr<ExpandedKeys> open_;
  std::size_t sa_ = 0;
  OuterHeader header_ = far_header();
  std::array<rte_mbuf*, most> buffers_{};
};

}  // namespace

std::unique_ptr<PathRig> make_rig(Lab& lab, const PathLoad& load) {
  if (load.direction == PathDirection::encap) return std::make_unique<Encap>(lab, load);
  return std::make_unique<Decap>(lab, load);
}

}  // namespace penstock::bench
