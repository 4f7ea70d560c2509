// penstockd's clerk: a child process that opens files and looks up names, which penstockd itself
// gives up before it listens to strangers. It is forked before there is a secret or a thread,
// dies with penstockd, and serves one order at a time; the event loop never waits for it.
//
// When it has died, that is said once, and every order is refused with a sentence; sessions go on.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include "penstock/base/address.hpp"
#include "penstock/base/error.hpp"
#include "penstock/base/unique_fd.hpp"
#include "penstock/config/site_config.hpp"
#include "penstock/crypto/identity.hpp"
#include "penstock/crypto/key_schedule.hpp"
#include "penstock/keys/secret.hpp"

#include "controlplane/shell/clerk/orders.hpp"

namespace penstock::controlplane {

struct LinkSecrets {
  crypto::FileKey key;                     // K of key_file
  std::optional<crypto::FileKey> old_key;  // of old_key_file; empty: none, or retired
  bool is_old_retired = false;
};

// A site's file and all that it names, read at one moment.
struct LoadedSite {
  SiteConfig config;
  std::vector<LinkSecrets> keys;                        // of its links, in their order
  std::shared_ptr<const crypto::IdentityKey> identity;  // null when the config names none
};

class Clerk {
 public:
  using OnLoaded = std::function<void(Result<LoadedSite>)>;
  using OnDone = std::function<void(Result<void>)>;
  using OnResolved = std::function<void(std::optional<IpAddress>)>;
  using OnAuditLog = std::function<void(Result<UniqueFd>)>;

  // The process that fork() made, before there is a loop.
  struct Process {
    UniqueFd socket;
    std::filesystem::path config_file;
  };
  // While this process has one thread, and holds nothing that the clerk should not.
  [[nodiscard]] static Result<Process> fork(std::filesystem::path config_file);

  Clerk(asio::io_context& loop, Process process);
  Clerk(const Clerk&) = delete;
  Clerk& operator=(const Clerk&) = delete;
  ~Clerk();

  // Each is answered once, from the loop. What waits is served in the order of the orders, but
  // for lookups, which take their time and come last. The first load decides where the clerk may
  // write (state_dir, audit_log).
  void load(OnLoaded on_loaded);
  // From now on this key of the link is not accepted, whatever a config says.
  void retire(std::string_view peer, const crypto::KeyFingerprint& old_key, OnDone on_done);
  // The keys that the config has for the link are accepted again.
  void restore(std::string_view peer, OnDone on_done);
  // Empty: no such name, or nobody told in time.
  void resolve(std::string_view host, IpVersion version, OnResolved on_resolved);
  // An empty descriptor when the config has no audit_log.
  void open_audit_log(OnAuditLog on_opened);
  // No key of a load that was ordered before this is kept, and the load is refused.
  void forget();

 private:
  struct Answer;
  struct Errand {
    clerk::Order order;
    std::function<void(Result<Answer>)> on_answer;
    bool is_forgotten = false;
  };

  void give(Errand errand);
  void refuse(Errand errand, Error why);
  [[nodiscard]] std::deque<Errand>::iterator place_of(const clerk::Order& order);
  void send_next();
  void wait_readable();
  void read_all();
  // False when the clerk breaks the contract.
  [[nodiscard]] bool take(Bytes packet, UniqueFd descriptor);
  void finish(Result<Answer> answer);
  void die();
  [[nodiscard]] Result<LoadedSite> unpack(Answer answer) const;

  asio::io_context& loop_;
  std::filesystem::path config_file_;
  std::unique_ptr<asio::posix::stream_descriptor> socket_;  // null once it has died
  std::deque<Errand> errands_;                              // the first is under way
  std::unique_ptr<Answer> answer_;                          // what came for it so far
  SecretBuffer packet_{clerk::max_answer};
};

}  // namespace penstock::controlplane
