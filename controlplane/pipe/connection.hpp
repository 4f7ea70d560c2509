// One connection of a pipe: a plain socket and a sealed one, from the first byte of the handshake
// until both ways are closed. spiped's steps:
//
//   -e   accept the plain one, connect to the target, shake hands with it, move bytes
//   -d   accept the sealed one, connect to the target and shake hands at once, move bytes
//
// Bytes move only when both are done; until then nothing of the plain socket is read.
//
// Memory, whatever the sides do: an idle connection takes about 2 kB with its keys (and two
// sockets in the kernel), one whose far side sent a part of a packet 1,060 bytes more, and a
// direction that nobody takes from one batch of 17 pages: at most 144,000 bytes in all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "penstock/base/clock.hpp"
#include "penstock/base/unique_fd.hpp"
#include "penstock/crypto/key_schedule.hpp"

#include "controlplane/handshake/entropy.hpp"
#include "controlplane/pipe/batch.hpp"
#include "controlplane/pipe/deadlines.hpp"
#include "controlplane/pipe/dial.hpp"
#include "controlplane/pipe/ends.hpp"
#include "controlplane/pipe/handshake.hpp"
#include "controlplane/pipe/loop.hpp"
#include "controlplane/pipe/open_flow.hpp"
#include "controlplane/pipe/seal_flow.hpp"
#include "controlplane/pipe/settings.hpp"
#include "controlplane/pipe/stream.hpp"

namespace penstock::controlplane::pipe {

// What connections of one thread share; outlives them.
struct Surroundings {
  const Settings& settings;
  const crypto::FileKey& key;
  SocketAddress bind_from;
  Loop& loop;
  Deadlines& deadlines;
  Entropy& entropy;
  Tools tools;
};

// Which of a connection's descriptors an event is of: the low bits of its tag.
enum class Side : std::uint8_t { plain, sealed, plain_out };

class Connection {
 public:
  // Of an accepted socket, and where to connect to.
  Connection(Surroundings& around, UniqueFd accepted, const SocketAddress& peer,
             Targets::List targets);
  // Of this process's standard input and output, and a connected socket: all non-blocking.
  Connection(Surroundings& around, int input, int output, UniqueFd connected);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Whose event it is, from its tag; the tag of a side is the object's address and the side.
  struct Tagged {
    Connection& connection;
    Side side;
  };
  [[nodiscard]] static Tagged from_tag(void* tag);

  void start(Time now);
  void note(Side side, std::uint32_t events);
  void note_late();  // its deadline has passed, and is one no more

  enum class Turn : std::uint8_t { waiting, again, ended };
  // Does what can be done now. After `ended` destroy it.
  [[nodiscard]] Turn run(Time now);

  [[nodiscard]] End end() const { return *end_; }
  // Of the socket that ended it, where one did; 0: both ways were closed.
  [[nodiscard]] int error() const { return error_; }
  // Who was at the other side, and what more there is to say of the end.
  [[nodiscard]] std::string describe_end() const;

  // For its owner: where it stands in lists.
  std::size_t index = 0;
  bool is_queued = false;

 private:
  void adopt(Side side, UniqueFd socket);
  void watch(Side side, int fd);
  [[nodiscard]] void* tag_of(Side side);
  void expect(Time now);
  void begin_handshake(Time now);
  // `events` are those that ended the dialling, if any did.
  void dial_on(Time now, Dial::State state, std::uint32_t events);
  void shake();
  void finish_handshake();
  [[nodiscard]] bool is_moving() const { return open_keys_ && !dial_; }
  [[nodiscard]] Turn move();
  void settle(Flow flow, bool& is_closed, End broken_from, End broken_to);
  void finish(End end) { end_ = end_.value_or(end); }
  [[nodiscard]] UniqueFd& socket(Side side) { return side == Side::sealed ? sealed_ : plain_; }

  Surroundings& around_;
  UniqueFd plain_;
  UniqueFd sealed_;
  SocketAddress peer_;
  std::optional<Dial> dial_;            // while it connects
  std::optional<Handshake> handshake_;  // while it lasts
  std::optional<Deadlines::Place> deadline_;
  std::optional<PipeKeys> seal_keys_;
  std::optional<PipeKeys> open_keys_;

  Source plain_in_;
  Sink plain_out_;
  Source sealed_in_;
  Sink sealed_out_;
  SealFlow seal_;
  OpenFlow open_;

  std::optional<End> end_;
  std::uint32_t dial_events_ = 0;  // of the socket that connects
  int error_ = 0;                  // of a socket, where that ended it
  bool is_late_ = false;
  bool is_sealing_closed_ = false;
  bool is_opening_closed_ = false;
  bool is_plain_broken_ = false;
  bool is_sealed_broken_ = false;
};

}  // namespace penstock::controlplane::pipe
