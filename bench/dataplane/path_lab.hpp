// What every measurement of the path stands on: DPDK, packet pools and the plan of the engines;
// and a site alone: a worker between two ports of the bench's, with the main core's part of its
// sessions.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "penstock/crypto/engine_plan.hpp"
#include "penstock/crypto/frame_engine.hpp"
#include "penstock/ipc/messages.hpp"

#include "dataplane/control/session_directory.hpp"
#include "dataplane/device/eal.hpp"
#include "dataplane/device/pool.hpp"
#include "dataplane/worker.hpp"

namespace penstock::bench {

inline constexpr std::uint16_t path_frame = 1472;

class Lab {
 public:
  // Pools large enough for so many workers.
  explicit Lab(unsigned workers);

  [[nodiscard]] const EnginePlan& plan() const { return plan_; }
  [[nodiscard]] FrameEngine engine() const;
  [[nodiscard]] std::string memory() const { return eal_.describe(); }  // what pools are made of
  [[nodiscard]] rte_mempool* frames() const { return frames_.get(); }
  [[nodiscard]] rte_mempool* punts() const { return punts_.get(); }

 private:
  EnginePlan plan_;
  dataplane::Eal eal_;
  dataplane::Pool frames_;
  dataplane::Pool punts_;
};

[[nodiscard]] dataplane::WireIdentity identity(int index);

// Session `number` (from 1) of site 1, which answered: the keys are made up.
[[nodiscard]] ipc::InstallSession path_session(std::uint32_t number, Protection protection,
                                               std::uint32_t links = 1);
// The other site's half of it.
[[nodiscard]] ipc::InstallSession far_half(ipc::InstallSession session);

// The SA by which site 2 sends to this session.
[[nodiscard]] SealKeys far_keys(const FrameEngine& engine, const ipc::InstallSession& session);
// A frame to site 1 in an mbuf: outer header, and `plaintext` where it belongs, not sealed yet.
// Returns the frame's bytes. Headers of frames from site 2 to site 1.
[[nodiscard]] OuterHeader far_header();
[[nodiscard]] std::byte* put_frame(rte_mbuf* buffer, const OuterHeader& header, Bytes plaintext);

class Site {
 public:
  Site(Lab& lab, int index, dataplane::PortQueue& plain, dataplane::PortQueue& wire);
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  // As the main core would; the worker has it afterwards.
  dataplane::Session& install(const ipc::InstallSession& session);

  dataplane::Wake main_wake;
  dataplane::Mailbox mailbox;
  dataplane::PortInfo info{.name = "plain", .mtu = 9000};
  dataplane::Worker worker;
  FrameEngine engine;  // the main core's
  dataplane::endpoint::NextHops hops;
  dataplane::SessionDirectory directory;
};

}  // namespace penstock::bench
