"""A data plane that moves no packets: the other end of penstockd's door, for tests.

It speaks the messages of include/penstock/ipc/messages.hpp from their description, keeps the
sessions it is told to install, and hands injected datagrams to a `wire` callback. What needs
frames (a session is confirmed when one arrives) the test says by calling confirm().
"""

import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lab.errors import wait_until

HEADER = struct.Struct("=HHI")  # type, zero, request
ENDPOINT = struct.Struct("=16sHBB")
HELLO = struct.Struct("=HHIII")
VERSION = 7
PROTECTIONS = (
    "AES256_CTR-SHA256", "AES128_CTR-SHA256", "AES256_CTR-SHA384", "AES256_GCM",
    "CHACHA20_POLY1305", "NULL",
)  # fmt: skip
ENGINE_WAYS = {name: f"no code for {name}" for name in PROTECTIONS}
ENGINE_TEXT = 192  # bytes for each of them
HELLO_REPLY = struct.Struct(
    f"=HHIII16sHHB3s20s16s96s{len(PROTECTIONS) * ENGINE_TEXT}s64s64s"
)
# rates, least rate, dwell, queue; mode, steps, adapts, ecn, priority, dscp, copies_dscp, finds_mtu
SHAPING = struct.Struct("=64sQQQBBBBBBBB")
UNSHAPED = SHAPING.pack(b"", 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
# Shaping, peer name and probe keys at its end; and then the lanes' keys
INSTALL = struct.Struct("=HHI16s32sIIIBBHHHHHBBBB20sQQQQ96s64s80s80s")
LANE_KEYS = struct.Struct("=32s48s")
MAX_LANES = 64
INSTALL_SIZE = INSTALL.size + 2 * MAX_LANES * LANE_KEYS.size
REPLY = struct.Struct("=HHIII")  # install_reply, remove_reply, list_end
REMOVE = struct.Struct("=HHI32s")
SESSION_INFO = struct.Struct("=HHI32sIIIBBHHHHBBBB2s20s64sQQQQQQ")
DATAGRAM = struct.Struct("=HHI20sHH1024s")  # inject, punt
INSIDE = struct.Struct("=HHI32s1024s")  # inject_inside, punt_inside
EVENT = struct.Struct("=HHIIII32s20sQ")
LINK_PEER = struct.Struct("=HHII20sHBB")
ZEROIZE = HEADER
STATS = struct.Struct("=HHIQII")  # and then the counters
WORKER_STATS = struct.Struct("=HHIII")  # likewise
CLASS_FIGURES = 8
LINK_STATS = struct.Struct(f"=HHIIBBBB14QH6s{4 * CLASS_FIGURES}Q")

(HELLO_TYPE, HELLO_REPLY_TYPE, INSTALL_TYPE, INSTALL_REPLY_TYPE, REMOVE_TYPE, REMOVE_REPLY_TYPE,
 LIST_TYPE, SESSION_INFO_TYPE, LIST_END_TYPE, INJECT_TYPE, PUNT_TYPE, EVENT_TYPE, GET_STATS_TYPE,
 STATS_TYPE, INJECT_INSIDE_TYPE, PUNT_INSIDE_TYPE, LINK_PEER_TYPE, ZEROIZE_TYPE,
 ZEROIZE_REPLY_TYPE, LIST_LINKS_TYPE, LINK_STATS_TYPE, _, _, LIST_WORKERS_TYPE,
 WORKER_STATS_TYPE) = range(1, 26)  # fmt: skip
CONFIRMED, REMOVED, REKEY_WANTED, PEER_SILENT, PEER_HEARD, PEER_MOVED = range(1, 7)
BY_CONTROLLER, UNCONFIRMED, REPLACED, MAX_AGE, ZEROIZED = range(1, 6)
STATE_UNCONFIRMED, STATE_CURRENT, STATE_RETIRING = 1, 2, 3
COUNTERS, GAUGES, DROPS = 22, 4, 53


def endpoint_bytes(address: str, port: int) -> bytes:
    version = 6 if ":" in address else 4
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    return ENDPOINT.pack(socket.inet_pton(family, address), port, version, 0)


@dataclass
class Session:
    id: bytes
    link: int
    local_spi: int
    remote_spi: int
    role: int
    tag: int
    suite: int
    frame_size: int
    lanes_out: int
    lanes_in: int
    peer: bytes
    peer_name: bytes
    vlan: int
    roams: int
    uses_one_port: int
    max_age_ns: int
    hold_ns: int
    dead_after_ns: int
    rekey_frames: int
    out_keys: list[tuple[bytes, bytes]]
    in_keys: list[tuple[bytes, bytes]]
    shaping: bytes = UNSHAPED
    state: int = STATE_UNCONFIRMED
    is_silent: int = 0
    installed: float = field(default_factory=time.monotonic)

    @staticmethod
    def parse(message: bytes) -> tuple["Session", bytes]:
        """The session, and the boot id that the install was made for."""
        (_, _, _, boot_id, session_id, link, local, remote, role, tag, suite, size, lanes_out,
         lanes_in, vlan, _, roams, one_port, _, peer, max_age, hold, dead_after, rekey_frames,
         shaping, peer_name, _, _) = INSTALL.unpack_from(message)  # fmt: skip
        keys = list(LANE_KEYS.iter_unpack(message[INSTALL.size :]))
        session = Session(
            session_id, link, local, remote, role, tag, suite, size, lanes_out, lanes_in, peer,
            peer_name, vlan, roams, one_port, max_age, hold, dead_after, rekey_frames,
            keys[:lanes_out], keys[MAX_LANES : MAX_LANES + lanes_in], shaping,
        )  # fmt: skip
        return session, boot_id

    @property
    def mode(self) -> int:
        return SHAPING.unpack(self.shaping)[4]

    def info(self, request: int) -> bytes:
        age = int((time.monotonic() - self.installed) * 1e9)
        return SESSION_INFO.pack(
            SESSION_INFO_TYPE, 0, request, self.id, self.link, self.local_spi, self.remote_spi,
            self.role, self.state, self.suite, self.frame_size, self.lanes_out, self.lanes_in,
            self.tag, 0, self.is_silent, self.mode, b"", self.peer, self.peer_name, age, age,
            11, 22, 33, 0,
        )  # fmt: skip


class ScriptedDataplane:
    def __init__(self, path: Path, address: str):
        self.path = path
        self.address = address
        self.wire: Callable[[str, bytes], None] = lambda to, datagram: None
        self.link: Callable[[bytes, bytes], None] = lambda session_id, message: None
        self.boot_id = os.urandom(16)
        self.sessions: list[Session] = []
        self.counters = [0] * (COUNTERS + GAUGES + DROPS)
        self.links: list[tuple] = []  # of each link with figures, what LINK_STATS packs
        self.installs = 0
        self.refuse_installs_with = 0
        self.silent = False  # take requests, answer none
        self.link_peers: dict[int, bytes] = {}
        self.link_vlans: dict[int, int] = {}
        self.zeroized = 0
        self.connections = 0
        self._lock = threading.RLock()
        self._client: socket.socket | None = None
        self._listener: socket.socket | None = None

    # --- its life ----------------------------------------------------------------------

    def start(self) -> "ScriptedDataplane":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self.path))
        self._listener.listen(4)
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()
        return self

    def die(self) -> None:
        """As kill -9 would: its sessions and boot id die with it."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.path.unlink(missing_ok=True)
        self.hang_up()
        with self._lock:
            self.sessions.clear()
            self.boot_id = os.urandom(16)

    def hang_up(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.shutdown(socket.SHUT_RDWR)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            with self._lock:
                self._client = client
            self._serve_client(client)
            client.close()

    def _serve_client(self, client: socket.socket) -> None:
        while True:
            try:
                message = client.recv(1 << 16)
            except OSError:
                return
            if not message:
                return
            if not self.silent:
                self._answer(message)

    # --- what it is told -----------------------------------------------------------------

    def _answer(self, message: bytes) -> None:
        kind, _, request = HEADER.unpack_from(message)
        with self._lock:
            if kind == HELLO_TYPE:
                self._on_hello(request)
            elif kind == INSTALL_TYPE:
                self._on_install(request, message)
            elif kind == REMOVE_TYPE:
                was_there = self.remove(REMOVE.unpack(message)[3], BY_CONTROLLER)
                self.send(REPLY.pack(REMOVE_REPLY_TYPE, 0, request, was_there, 0))
            elif kind == LIST_TYPE:
                for session in self.sessions:
                    self.send(session.info(request))
                self.send(REPLY.pack(LIST_END_TYPE, 0, request, len(self.sessions), 0))
            elif kind == LIST_LINKS_TYPE:
                for figures in self.links:
                    self.send(LINK_STATS.pack(LINK_STATS_TYPE, 0, request, *figures))
                self.send(REPLY.pack(LIST_END_TYPE, 0, request, len(self.links), 0))
            elif kind == LIST_WORKERS_TYPE:
                head = WORKER_STATS.pack(WORKER_STATS_TYPE, 0, request, 0, 0)
                self.send(head + self._counted())
                self.send(REPLY.pack(LIST_END_TYPE, 0, request, 1, 0))
            elif kind == GET_STATS_TYPE:
                head = STATS.pack(STATS_TYPE, 0, request, 5_000_000_000, 1, len(self.sessions))
                self.send(head + self._counted())
            elif kind == LINK_PEER_TYPE:
                _, _, _, link, peer, vlan, is_gone, _ = LINK_PEER.unpack(message)
                self.link_peers[link] = peer
                self.link_vlans[link] = vlan
                if is_gone:
                    del self.link_peers[link], self.link_vlans[link]
            elif kind == ZEROIZE_TYPE:
                self._on_zeroize(request)
        if kind == INJECT_TYPE:
            _, _, _, to, length, _, data = DATAGRAM.unpack(message)
            self.wire(socket.inet_ntoa(to[:4]), data[:length])
        if kind == INJECT_INSIDE_TYPE:
            _, _, _, session_id, inner = INSIDE.unpack(message)
            if any(session.id == session_id for session in self.sessions):
                self.link(session_id, inner)

    def _counted(self) -> bytes:
        return struct.pack(f"={len(self.counters)}Q", *self.counters)

    def _on_hello(self, request: int) -> None:
        self.send(
            HELLO_REPLY.pack(
                HELLO_REPLY_TYPE, 0, request, VERSION, 1, self.boot_id, 1472, 1, 1, b"",
                endpoint_bytes(self.address, 7670), b"x86-64-v2", b"no engine at all",
                b"".join(way.encode().ljust(ENGINE_TEXT, b"\0") for way in ENGINE_WAYS.values()),
                b"af_packet:plain", b"af_packet:wire",
            )  # fmt: skip
        )

    def _on_install(self, request: int, message: bytes) -> None:
        assert len(message) == INSTALL_SIZE
        session, boot_id = Session.parse(message)
        assert boot_id == self.boot_id
        self.installs += 1
        if self.refuse_installs_with == 0:
            self.sessions.append(session)
        self.send(REPLY.pack(INSTALL_REPLY_TYPE, 0, request, self.refuse_installs_with, 0))

    def _on_zeroize(self, request: int) -> None:
        count = len(self.sessions)
        for session in list(self.sessions):
            self.remove(session.id, ZEROIZED)
        self.zeroized += 1
        self.send(REPLY.pack(ZEROIZE_REPLY_TYPE, 0, request, count, 0))

    # --- what it says unasked ---------------------------------------------------------------

    def send(self, message: bytes) -> None:
        with self._lock:
            if self._client is not None:
                try:
                    self._client.send(message)
                except OSError:
                    pass  # the receiving side notices

    def punt(self, source: str, datagram: bytes) -> None:
        body = endpoint_bytes(source, 7670)
        self.send(DATAGRAM.pack(PUNT_TYPE, 0, 0, body, len(datagram), 0, datagram))

    def punt_inside(self, session_id: bytes, message: bytes) -> None:
        if any(session.id == session_id for session in self.sessions):
            self.send(INSIDE.pack(PUNT_INSIDE_TYPE, 0, 0, session_id, message))

    def event(self, kind: int, session: Session, detail: int = 0) -> None:
        self.send(
            EVENT.pack(EVENT_TYPE, 0, 0, kind, detail, session.link, session.id, session.peer, 0)
        )

    def confirm(self, session: Session) -> None:
        """The first good frame arrived on it: it is what the link sends on from now."""
        with self._lock:
            for other in self.sessions:
                if other.state == STATE_CURRENT and other.link == session.link:
                    other.state = STATE_RETIRING
            session.state = STATE_CURRENT
            self.event(CONFIRMED, session)

    def remove(self, session_id: bytes, reason: int) -> bool:
        with self._lock:
            found = next((one for one in self.sessions if one.id == session_id), None)
            if found is None:
                return False
            self.sessions.remove(found)
            self.event(REMOVED, found, reason)
            return True

    # --- what the test asks -------------------------------------------------------------------

    def current(self) -> Session | None:
        with self._lock:
            return next((one for one in self.sessions if one.state == STATE_CURRENT), None)

    def unconfirmed(self) -> Session | None:
        with self._lock:
            return next((one for one in self.sessions if one.state == STATE_UNCONFIRMED), None)


def join(a: ScriptedDataplane, b: ScriptedDataplane) -> None:
    """A wire between the two: what one injects is punted to the other's controller."""
    a.wire = lambda to, datagram: b.punt(a.address, datagram) if to == b.address else None
    b.wire = lambda to, datagram: a.punt(b.address, datagram) if to == a.address else None
    a.link, b.link = b.punt_inside, a.punt_inside


def confirm_common_session(a: ScriptedDataplane, b: ScriptedDataplane) -> tuple[Session, Session]:
    """Waits until both hold a new session with one id, and lets a frame cross it each way."""

    def common() -> tuple[Session, Session] | None:
        mine, theirs = a.unconfirmed(), b.unconfirmed()
        return (mine, theirs) if mine and theirs and mine.id == theirs.id else None

    mine, theirs = wait_until(common, "a session that both data planes hold")
    a.confirm(mine)
    b.confirm(theirs)
    return mine, theirs
