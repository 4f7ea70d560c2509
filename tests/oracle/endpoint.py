"""A whole site but for its plain port: both state machines and the SAs behind one UDP socket.

Nothing runs by itself: whoever calls an `until` method lends it the time.
"""

import os
import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from . import blocks, keys, roaming
from .cookie import Address, Inside, Route
from .frames import FrameDropped, Opener, Sealer, spi_of
from .identity import Identity
from .initiator import Initiator
from .parameters import Parameters
from .probes import Prober
from .responder import Responder
from .session import Session
from .suites import SUITES, Suite
from .verdicts import Agreed, Answer, Verdict

DATA_FRAME, PATH_PROBE = 5, 6
HANDSHAKE = b"\1"  # what a control block with a handshake message begins with
RESEND = 0.1  # seconds between frames on a session that is not confirmed


class Silence(Exception):
    """What was waited for did not come in time."""


@dataclass
class Living:
    """A session in use, lane 0 outbound and every lane inbound."""

    session: Session
    sealer: Sealer
    openers: dict[int, Opener]  # by SPI
    unpackers: dict[int, blocks.Unpacker]
    prober: Prober
    is_confirmed: bool = False

    @staticmethod
    def of(session: Session, path_carries: int) -> "Living":
        openers = [session.opener(lane) for lane in range(session.theirs.lanes)]
        return Living(
            session, session.sealer(), {o.spi: o for o in openers},
            {o.spi: blocks.Unpacker() for o in openers}, Prober.of(session, path_carries),
        )  # fmt: skip


@dataclass(frozen=True)
class Letter:
    """A handshake message, and the way by which it came."""

    message: bytes
    route: Route


@dataclass
class Endpoint:
    udp: socket.socket  # bound
    peer: Address
    name: str
    peer_name: str
    key_file: bytes
    wishes: Parameters = Parameters()
    identity: Identity | None = None
    heard: list[blocks.Block] = field(default_factory=list)  # of all sessions
    dropped: list[str] = field(default_factory=list)  # frames
    letters: list[Letter] = field(default_factory=list)  # not taken, in manual mode
    is_manual: bool = False  # handshake messages wait in `letters` for the test
    last_verdict: Verdict | None = None
    path_carries: int = 9000  # of the far side's probes; longer ones are lost

    def __post_init__(self) -> None:
        self.sessions: list[Living] = []  # newest last
        self.attempt: Initiator | None = None
        self._attempt_route: Route = self.peer
        self._spi_base = int.from_bytes(os.urandom(3), "big") << 8 | 64
        self.starts = keys.role_keys(self.key_file, self.name, self.peer_name)
        self.answers = keys.role_keys(self.key_file, self.peer_name, self.name)
        self.responder = Responder(
            self.answers, list(SUITES.values()), self.next_wishes(), os.urandom,
            site=self.identity,
        )  # fmt: skip

    def next_wishes(self) -> Parameters:
        """Every session has an SPI base of its own."""
        self._spi_base += 64
        return replace(self.wishes, spi_base=self._spi_base)

    # --- sending --------------------------------------------------------------------------

    def send_raw(self, datagram: bytes) -> None:
        self.udp.sendto(datagram, (self.peer.ip, self.peer.port))

    def send(self, *sent: blocks.Block, on: Living | None = None) -> None:
        """On the newest session unless told; without blocks, a frame of padding."""
        sealer = (on or self.sessions[-1]).sealer
        for text in blocks.pack(sent, sealer.text_size):
            self.send_raw(sealer.seal(text))

    def send_message(self, message: bytes, route: Route | None = None) -> None:
        """In the clear, or inside the session that `route` names."""
        if not isinstance(route, Inside):
            self.send_raw(message)
            return
        [living] = [one for one in self.sessions if one.session.id == route.session_id]
        self.send(blocks.Block(blocks.CONTROL, HANDSHAKE + message), on=living)

    def start(self, offer: Sequence[Suite], inside: bool = False) -> Initiator:
        """In the clear, or inside the newest session."""
        self.attempt = Initiator(
            self.starts, offer, self.next_wishes(), os.urandom, time.monotonic(), self.identity
        )
        self._attempt_route = Inside(self.sessions[-1].session.id) if inside else self.peer
        self.send_message(self.attempt.message_1, self._attempt_route)
        return self.attempt

    # --- time -----------------------------------------------------------------------------

    def until(self, probe: Callable[[], object], what: str, seconds: float = 20.0) -> None:
        """Plays its part until `probe` is true."""
        deadline = time.monotonic() + seconds
        while not probe():
            if time.monotonic() > deadline:
                raise Silence(f"waited {seconds:.0f} s for {what}; {self.last_verdict}")
            if select.select([self.udp], [], [], 0.05)[0]:
                datagram, sender = self.udp.recvfrom(65535)
                self._take(datagram, Address(sender[0], sender[1]))
            if self.attempt is not None and (again := self.attempt.tick(time.monotonic())):
                self.send_message(again, self._attempt_route)

    def session_after(self, count: int, what: str = "a session") -> Session:
        """The first beyond `count`, confirmed both ways."""
        self.until(lambda: len(self.sessions) > count, what)
        last = -1.0

        def confirmed() -> bool:
            nonlocal last
            living = self.sessions[-1]
            if living.session.is_initiator and time.monotonic() > last + RESEND:
                last = time.monotonic()
                self.send()
            return living.is_confirmed

        self.until(confirmed, f"a good frame on {what}")
        return self.sessions[-1].session

    def adopt(self, session: Session) -> None:
        """Uses it from now on."""
        self.sessions.append(Living.of(session, self.path_carries))
        self.responder.wishes = self.next_wishes()
        self.attempt = None

    # --- receiving ------------------------------------------------------------------------

    def _take(self, datagram: bytes, sender: Address) -> None:
        if datagram[:1] == bytes([DATA_FRAME]):
            self._take_frame(datagram)
        elif datagram[:1] == bytes([PATH_PROBE]):
            self._take_probe(datagram)
        else:
            self._take_letter(Letter(datagram, sender))

    def _take_letter(self, letter: Letter) -> None:
        if self.is_manual:
            self.letters.append(letter)
            return
        now, message, route = time.monotonic(), letter.message, letter.route
        if message[:1] in (b"\1", b"\3"):
            verdict = self.responder.receive(message, route, now, self.attempt)
        elif self.attempt is not None and route == self._attempt_route:
            verdict = self.attempt.receive(message, now)
        else:
            return
        self.last_verdict = verdict
        if isinstance(verdict, Answer):
            self.send_message(verdict.message, route)
        if isinstance(verdict, Agreed | Answer) and verdict.session is not None:
            self.adopt(verdict.session)

    def _take_frame(self, frame: bytes) -> None:
        spi = spi_of(frame)
        living = next((one for one in self.sessions if spi in one.openers), None)
        if living is None:
            self.dropped.append("unknown spi")
            return
        try:
            text = living.openers[spi].open(frame)
        except FrameDropped as why:
            self.dropped.append(str(why))
            return
        is_first, living.is_confirmed = not living.is_confirmed, True
        if is_first and not living.session.is_initiator:
            self.send(on=living)
        for block in living.unpackers[spi].feed(text):
            self._take_block(block, living)

    def _take_probe(self, packet: bytes) -> None:
        for living in self.sessions:
            if living.prober.opener.spi != spi_of(packet):
                continue
            try:
                answer = living.prober.take(packet)
            except FrameDropped as why:
                self.dropped.append(str(why))
                return
            if answer is not None:
                self.send_raw(answer)

    def _take_block(self, block: blocks.Block, living: Living) -> None:
        if nonce := roaming.nonce_in(block, roaming.CHALLENGE):
            self.send(roaming.response(nonce), on=living)
            return
        if block.kind == blocks.CONTROL and block.data[:1] == HANDSHAKE:
            self._take_letter(Letter(block.data[1:], Inside(living.session.id)))
        else:
            self.heard.append(block)
