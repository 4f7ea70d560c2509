// The long-term keys of a link: the one of key_file and, until that has proved good, the one of
// old_key_file. Each has a responder of its own, so cookies and answers of the two never meet.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "controlplane/handshake/entropy.hpp"
#include "controlplane/handshake/link_keys.hpp"
#include "controlplane/handshake/responder.hpp"

namespace penstock::controlplane {

// What handshakes under any key of a link have in common.
struct KeyContext {
  std::string_view site;
  std::string_view peer;
  const std::vector<Suite>* suites;
  const Identity* identity;  // null on a link without identities; outlives the ring
  Entropy* entropy;
};

// Stays where it is: its responder, and attempts, point into it.
struct RingKey {
  RingKey(const crypto::FileKey& file_key, const KeyContext& context);
  RingKey(const RingKey&) = delete;
  RingKey& operator=(const RingKey&) = delete;
  ~RingKey() = default;

  crypto::KeyFingerprint fingerprint;
  LinkKeys starting;   // for handshakes that this site starts
  LinkKeys answering;  // for those that the peer starts
  Responder responder;
};

class KeyRing {
 public:
  // Replaces what there is, cookies and remembered answers too. An old key that is the new one is
  // none.
  void load(const crypto::FileKey& key, const std::optional<crypto::FileKey>& old_key,
            const KeyContext& context);
  // Wipes all of it.
  void clear();

  [[nodiscard]] bool is_empty() const { return !newest_; }
  [[nodiscard]] bool has_old() const { return old_ != nullptr; }
  [[nodiscard]] bool holds(const crypto::FileKey& key,
                           const std::optional<crypto::FileKey>& old_key) const;

  // Null where there is none.
  [[nodiscard]] RingKey* newest() { return newest_.get(); }
  [[nodiscard]] RingKey* old() { return old_.get(); }
  [[nodiscard]] const RingKey* newest() const { return newest_.get(); }
  [[nodiscard]] const RingKey* old() const { return old_.get(); }
  [[nodiscard]] RingKey* find(const crypto::KeyFingerprint& fingerprint);
  [[nodiscard]] bool has(const crypto::KeyFingerprint& fingerprint) const;
  // Whose id a message 1 or 3 names; null: neither's.
  [[nodiscard]] RingKey* named_by(Bytes datagram);
  // The same for the keys by which this site starts handshakes: our own message, or a namesake's.
  [[nodiscard]] bool is_of_our_own(Bytes datagram) const;

  // Wipes the old one.
  void retire_old() { old_.reset(); }

 private:
  std::unique_ptr<RingKey> newest_;
  std::unique_ptr<RingKey> old_;
};

}  // namespace penstock::controlplane
