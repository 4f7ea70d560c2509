"""A controller that makes no handshake: the other end of the data plane's door, for tests.

It speaks the messages of include/penstock/ipc/messages.hpp from their description and brings
keys of its own. The names of counters and reasons are read from the headers.
"""

import itertools
import os
import re
import select
import socket
import struct
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab.programs import REPOSITORY
from lab.site import Tally
from scripted_dataplane import (
    DATAGRAM, ENGINE_TEXT, EVENT, EVENT_TYPE, GET_STATS_TYPE, HEADER, HELLO, HELLO_REPLY,
    HELLO_REPLY_TYPE, HELLO_TYPE, INJECT_INSIDE_TYPE, INJECT_TYPE, INSIDE, INSTALL,
    INSTALL_REPLY_TYPE, INSTALL_TYPE, LINK_PEER, LINK_PEER_TYPE, LIST_END_TYPE, LIST_TYPE, MAX_LANES,
    PROTECTIONS, PUNT_INSIDE_TYPE, PUNT_TYPE, REMOVE, REMOVE_REPLY_TYPE, REMOVE_TYPE, REPLY,
    SESSION_INFO, SESSION_INFO_TYPE, SHAPING, STATS, STATS_TYPE, VERSION, ZEROIZE, ZEROIZE_REPLY_TYPE,
    ZEROIZE_TYPE, endpoint_bytes,
)  # fmt: skip

INITIATOR, RESPONDER = 0, 1
SUITE = 0x0101  # X25519-AES256_CTR-SHA256
INSTALLED, WRONG_BOOT, SEEN_BEFORE, SLOT_TAKEN, BAD_PARAMETERS, NO_MEMORY, ZEROIZED = range(7)
HOUR = 3600 * 10**9


def _enumerators(header: str, enum: str) -> list[str]:
    text = (REPOSITORY / "include/penstock/ipc" / header).read_text()
    body = re.search(rf"enum class {enum} .*?{{(.*?)}}", text, re.DOTALL)
    assert body, f"{enum} in {header}"
    without_comments = re.sub(r"//.*", "", body[1])
    return [name for name in re.findall(r"\w+", without_comments) if name != "count_"]


COUNTER_NAMES = _enumerators("counters.hpp", "Counter")
GAUGE_NAMES = _enumerators("counters.hpp", "Gauge")
REASON_NAMES = _enumerators("drop_reason.hpp", "DropReason")


def book_of(reason: str) -> str:
    """The comments in the enum say where a book begins: "// frame: ..."."""
    text = (REPOSITORY / "include/penstock/ipc/drop_reason.hpp").read_text()
    body = text[text.index("enum class DropReason") :]
    before = body[: re.search(rf"^  {reason},", body, re.MULTILINE).start()]
    return re.findall(r"^  // (\w+):", before, re.MULTILINE)[-1]


@dataclass(frozen=True)
class SessionPlan:
    """One side's half of a session. `mirrored()` is the other side's."""

    peer: str
    id: bytes = field(default_factory=lambda: os.urandom(32))
    role: int = INITIATOR
    local_spi: int = 0x00100040
    remote_spi: int = 0x00200080
    tag: int = 16
    suite: int = SUITE
    frame_size: int = 1472
    lanes: int = 1
    link: int = 0
    vlan: int = 0
    takes_offload: int = 1
    roams: int = 0
    uses_one_port: int = 0
    max_age_ns: int = 10 * HOUR
    hold_ns: int = 0
    dead_after_ns: int = 0
    rekey_frames: int = 0
    shaping: bytes = SHAPING.pack(b"", 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
    peer_name: str = "far"
    out_keys: bytes = field(default_factory=lambda: os.urandom(80))
    in_keys: bytes = field(default_factory=lambda: os.urandom(80))
    probe_out: bytes = b""
    probe_in: bytes = b""

    def mirrored(self, peer: str) -> "SessionPlan":
        return replace(
            self, peer=peer, role=1 - self.role, local_spi=self.remote_spi,
            remote_spi=self.local_spi, out_keys=self.in_keys, in_keys=self.out_keys,
            probe_out=self.probe_in, probe_in=self.probe_out,
        )  # fmt: skip

    def message(self, request: int, boot_id: bytes) -> bytes:
        head = INSTALL.pack(
            INSTALL_TYPE, 0, request, boot_id, self.id, self.link, self.local_spi, self.remote_spi,
            self.role, self.tag, self.suite, self.frame_size, self.lanes, self.lanes,
            self.vlan, self.takes_offload, self.roams, self.uses_one_port, 0,
            endpoint_bytes(self.peer, 7670), self.max_age_ns, self.hold_ns, self.dead_after_ns,
            self.rekey_frames, self.shaping, self.peer_name.encode(), self.probe_out, self.probe_in,
        )  # fmt: skip
        # All lanes alike: only the first is ever sent on.
        return head + self.out_keys * MAX_LANES + self.in_keys * MAX_LANES


@dataclass(frozen=True)
class Hello:
    is_accepted: int
    boot_id: bytes
    max_frame_size: int
    lanes: int
    takes_offload: int
    isa: str
    engine: str
    engine_protections: dict[str, str]


@dataclass(frozen=True)
class Event:
    kind: int
    detail: int
    session_id: bytes
    peer: bytes  # of peer_moved


@dataclass(frozen=True)
class SessionInfo:
    id: bytes
    local_spi: int
    state: int
    is_silent: int
    peer: bytes
    peer_name: str
    frames_sealed: int
    frames_opened: int
    failed_opens: int


class ScriptedController:
    def __init__(self, path: Path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(str(path))
        self.events: list[Event] = []
        self.punts: list[tuple[bytes, bytes]] = []  # endpoint, datagram
        self.inside: list[tuple[bytes, bytes]] = []  # session id, handshake message
        self._requests = itertools.count(1)

    def __enter__(self) -> "ScriptedController":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    # --- requests ----------------------------------------------------------------------

    def hello(self, version: int = VERSION) -> Hello:
        answer = self._ask(lambda n: HELLO.pack(HELLO_TYPE, 0, n, version, 0), HELLO_REPLY_TYPE)
        (_, _, _, _, accepted, boot_id, size, lanes, offload, _, _, isa, engine, ways, _, _) = (
            HELLO_REPLY.unpack(answer)
        )
        self.boot_id = boot_id
        texts = [_text(ways[at : at + ENGINE_TEXT]) for at in range(0, len(ways), ENGINE_TEXT)]
        return Hello(
            accepted, boot_id, size, lanes, offload, _text(isa), _text(engine),
            dict(zip(PROTECTIONS, texts, strict=True)),
        )  # fmt: skip

    def install(self, plan: SessionPlan, boot_id: bytes | None = None) -> int:
        answer = self._ask(
            lambda n: plan.message(n, boot_id or self.boot_id), INSTALL_REPLY_TYPE
        )
        return REPLY.unpack(answer)[3]

    def remove(self, session_id: bytes) -> int:
        answer = self._ask(
            lambda n: REMOVE.pack(REMOVE_TYPE, 0, n, session_id), REMOVE_REPLY_TYPE
        )
        return REPLY.unpack(answer)[3]

    def sessions(self) -> list[SessionInfo]:
        request = next(self._requests)
        self.socket.send(HEADER.pack(LIST_TYPE, 0, request))
        found = []
        while True:
            message = self._reply(request)
            kind = HEADER.unpack_from(message)[0]
            if kind == LIST_END_TYPE:
                assert REPLY.unpack(message)[3] == len(found)
                return found
            assert kind == SESSION_INFO_TYPE
            (_, _, _, id_, _, local, _, _, state, _, _, _, _, _, _, is_silent, _, _, peer, peer_name,
             _, _, sealed, opened, failed, _) = SESSION_INFO.unpack(message)  # fmt: skip
            found.append(
                SessionInfo(
                    id_, local, state, is_silent, peer, _text(peer_name), sealed, opened, failed
                )
            )

    def tally(self) -> Tally:
        answer = self._ask(lambda n: HEADER.pack(GET_STATS_TYPE, 0, n), STATS_TYPE)
        numbers = list(struct.iter_unpack("=Q", answer[STATS.size :]))
        values = iter(number for (number,) in numbers)
        tally = Tally(
            {name: next(values) for name in COUNTER_NAMES},
            {name: next(values) for name in GAUGE_NAMES},
            {name: next(values) for name in REASON_NAMES},
        )
        assert next(values, None) is None
        return tally

    def inject(self, to: str, port: int, datagram: bytes) -> None:
        self.socket.send(
            DATAGRAM.pack(
                INJECT_TYPE, 0, 0, endpoint_bytes(to, port), len(datagram), 0, datagram
            )
        )

    def inject_inside(self, session_id: bytes, message: bytes) -> None:
        self.socket.send(INSIDE.pack(INJECT_INSIDE_TYPE, 0, 0, session_id, message))

    def link_peer(
        self, link: int, address: str, port: int, vlan: int = 0, is_gone: bool = False
    ) -> None:
        peer = endpoint_bytes(address, port)
        self.socket.send(LINK_PEER.pack(LINK_PEER_TYPE, 0, 0, link, peer, vlan, is_gone, 0))

    def zeroize(self) -> int:
        """How many sessions there were."""
        answer = self._ask(lambda n: ZEROIZE.pack(ZEROIZE_TYPE, 0, n), ZEROIZE_REPLY_TYPE)
        return REPLY.unpack(answer)[3]

    # --- what comes unasked --------------------------------------------------------------

    def wait_event(self, kind: int, session_id: bytes, seconds: float = 100.0) -> Event:
        def found() -> Event | None:
            return next(
                (e for e in self.events if (e.kind, e.session_id) == (kind, session_id)), None
            )

        return self._wait(found, f"event {kind}", seconds)

    def wait_inside(self, message: bytes, seconds: float = 30.0) -> bytes:
        """The session that it came through."""
        return self._wait(
            lambda: next((session for session, inner in self.inside if inner == message), None),
            "a message inside a session", seconds,
        )  # fmt: skip

    def wait_punt(self, datagram: bytes, seconds: float = 30.0) -> bytes:
        """Where it came from."""
        return self._wait(
            lambda: next((peer for peer, punted in self.punts if punted == datagram), None),
            "a punted datagram", seconds,
        )  # fmt: skip

    # --- the socket -----------------------------------------------------------------------

    def is_dropped(self, seconds: float = 30.0) -> bool:
        """Whether the data plane has hung up."""
        deadline = time.monotonic() + seconds
        while select.select([self.socket], [], [], max(0, deadline - time.monotonic()))[0]:
            try:
                if not self.socket.recv(1 << 16):
                    return True
            except ConnectionResetError:
                return True
        return False

    def _ask(self, build, reply_type: int) -> bytes:
        request = next(self._requests)
        self.socket.send(build(request))
        message = self._reply(request)
        assert HEADER.unpack_from(message)[0] == reply_type
        return message

    def _reply(self, request: int) -> bytes:
        while True:
            message = self._receive(100.0)
            assert message is not None, "the data plane does not answer"
            if HEADER.unpack_from(message)[2] == request:
                return message
            self._keep(message)

    def _receive(self, seconds: float) -> bytes | None:
        if not select.select([self.socket], [], [], seconds)[0]:
            return None
        message = self.socket.recv(1 << 16)
        assert message, "the data plane has hung up"
        return message

    def _keep(self, message: bytes) -> None:
        kind = HEADER.unpack_from(message)[0]
        if kind == EVENT_TYPE:
            _, _, _, event, detail, _, session_id, peer, _ = EVENT.unpack(message)
            self.events.append(Event(event, detail, session_id, peer))
        elif kind == PUNT_INSIDE_TYPE:
            _, _, _, session_id, inner = INSIDE.unpack(message)
            self.inside.append((session_id, inner))
        elif kind == PUNT_TYPE:
            _, _, _, peer, length, _, datagram = DATAGRAM.unpack(message)
            self.punts.append((peer, datagram[:length]))
        else:
            raise AssertionError(f"message {kind} that nobody asked for")

    def _wait(self, found, what: str, seconds: float):
        deadline = time.monotonic() + seconds
        while (result := found()) is None:
            left = deadline - time.monotonic()
            message = self._receive(max(0.0, left))
            assert message is not None, f"{what} did not come within {seconds} s"
            self._keep(message)
        return result


def _text(field_bytes: bytes) -> str:
    return field_bytes.rstrip(b"\0").decode()
