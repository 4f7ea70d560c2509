"""One end of a pipe, whose far side is the scenario's own: it holds the key, and says anything.

    far side === end -d --- echo         near --- end -e === far side

Scenarios say `far` to what is encrypted and `near` to what is not.
"""

import contextlib
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from oracle.pipe import EXCHANGE, NONCE, PACKET, Role, Side

from .pipe_traffic import Echo
from .pipes import Lane, Maker, connect, tcp_address

Change = Callable[[int, bytes], bytes]  # of a piece that is sent, and its place in the stream


class Cut(Exception):
    """No more is to be sent."""


def unchanged(_: int, piece: bytes) -> bytes:
    return piece


def flipped(place: int) -> Change:
    """One bit of the byte at this place."""

    def change(at: int, piece: bytes) -> bytes:
        if not at <= place < at + len(piece):
            return piece
        changed = bytearray(piece)
        changed[place - at] ^= 0x10
        return bytes(changed)

    return change


class Far:
    """The far side of one connection. What it sends goes through `change`; `limit` bytes of it at
    most, then Cut."""

    def __init__(
        self, end: socket.socket, side: Side, change: Change = unchanged, limit: int | None = None
    ):
        self.end, self.side = end, side
        self.sent = bytearray()
        self._change, self._limit = change, limit

    def send(self, piece: bytes) -> None:
        piece = self._change(len(self.sent), piece)
        if self._limit is not None:
            piece = piece[: self._limit - len(self.sent)]
        # An end that has heard enough may hang up before it has heard all.
        with contextlib.suppress(ConnectionError):
            self.end.sendall(piece)
        self.sent += piece
        if len(self.sent) == self._limit:
            raise Cut

    def receive(self, size: int) -> bytes:
        got = self.end.recv(size, socket.MSG_WAITALL)
        if len(got) < size:
            raise ConnectionError("the end hung up")
        return got

    def greet(self) -> None:
        self.send(self.side.nonce)
        self.side.peer_nonce = self.receive(NONCE)

    def shake_hands(self) -> "Far":
        """As the protocol has it: the client's half first."""
        self.greet()
        if self.side.role is Role.CLIENT:
            self.send(self.side.exchange())
            self.peer_exchange = self.receive(EXCHANGE)
        else:
            self.peer_exchange = self.receive(EXCHANGE)
            self.send(self.side.exchange())
        self.use(self.side.shared(self.peer_exchange))
        return self

    def use(self, shared: int) -> None:
        self.out, self.back = self.side.ways(shared)

    def say(self, text: bytes) -> None:
        self.send(self.out.seal(text))

    def hear(self) -> bytes:
        return self.back.open(self.receive(PACKET))


def drained(end: socket.socket) -> bytes:
    """All that still comes until the other side is gone: it must go."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while piece := end.recv(1 << 16):
            got += piece
    return got


class Siege:
    """The end, and connections to it. What is encrypted goes over TCP unless told otherwise."""

    def __init__(self, lane: Lane, maker: Maker, role: str, *options: str, far: str = ""):
        self.role = Role.CLIENT if role == "-d" else Role.SERVER  # the far side's
        self.key = lane.key.read_bytes()
        far, near = far or tcp_address(), lane.unix_address()
        source, target = (far, near) if role == "-d" else (near, far)
        self._target = lane.target(target)
        self.echo = Echo(self._target) if role == "-d" else None
        self.end = lane.end(maker, role, target, *options, source=source)

    @contextlib.contextmanager
    def sockets(self) -> Iterator[tuple[socket.socket, socket.socket | None]]:
        """Of one connection: the far side's, and the near one where that is ours, too."""
        with connect(self.end.source) as first:
            if self.echo:
                yield first, None
                return
            with self._target.accept() as second:
                yield second, first

    @contextlib.contextmanager
    def connection(
        self, change: Change = unchanged, limit: int | None = None, **side
    ) -> Iterator[tuple[Far, socket.socket | None]]:
        with self.sockets() as (end, near):
            yield Far(end, Side(self.role, self.key, **side), change, limit), near

    @contextlib.contextmanager
    def beside(self) -> Iterator[None]:
        """Another connection lives before, meanwhile and after."""
        with self.connection() as (far, near):
            far.shake_hands()
            self.ask(far, near)
            yield
            self.ask(far, near)
        self.end.check_idle()

    def ask(self, far: Far, near: socket.socket | None, word: bytes = b"word") -> None:
        """A word through the end and another one back."""
        far.say(word)
        if near:
            assert near.recv(len(word), socket.MSG_WAITALL) == word
            near.sendall(word[::-1])
            word = word[::-1]
        assert far.hear() == word

    def check_refused(self, far: Far, near: socket.socket | None) -> None:
        """The end hangs up on both sides, and nothing of what came was believed."""
        drained(far.end)
        if near:
            assert drained(near) == b""

    @property
    def believed(self) -> int:
        """Bytes that the target was given, where it is an echo."""
        return self.echo.heard if self.echo else 0
