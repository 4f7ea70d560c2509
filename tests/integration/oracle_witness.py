"""What a site made of messages that should move nothing."""

import os
import time
from dataclasses import dataclass, field, replace

from lab.site import Site
from oracle import keys
from oracle import messages as m
from oracle.cookie import Route
from oracle.endpoint import Endpoint, Letter
from oracle.initiator import Initiator
from oracle.session import Session
from oracle.suites import Suite, suite
from oracle.verdicts import Verdict

SUITE = suite("X25519-AES256_GCM")
# What the network brings late or twice is no offence, and comes when it likes.
LATE = ("not_ours", "bad_type", "stale_cookie", "repeat_unanswered")
MALFORMED = {"bad_handshake": 1}


@dataclass(frozen=True)
class Counted:
    """What the status says of a link, and its difference from an earlier one."""

    refused: dict[str, int]  # by name
    drops: dict[str, int]
    sessions: list[str] = field(default_factory=list)
    completed: int = 0

    @staticmethod
    def of(alpha: Site) -> "Counted":
        status = alpha.status()
        assert status is not None
        link = status["links"][0]
        ids = [one["id"] for one in link["sessions"]]
        refused = {
            name: count
            for name, count in link["messages_refused_by"].items()
            if name not in LATE
        }
        return Counted(refused, status["drops"], ids, link["handshakes_completed"])

    def since(self, before: "Counted") -> dict[str, int]:
        """Only what changed, under its name."""
        drops = {name: count - before.drops[name] for name, count in self.drops.items() if count}
        return {name: n for name, n in {**drops, **self.refused_since(before)}.items() if n}

    def refused_since(self, before: "Counted") -> dict[str, int]:
        """Handshake messages, by the check that they failed."""
        counts = {name: count - before.refused.get(name, 0) for name, count in self.refused.items()}
        return {name: count for name, count in counts.items() if count}


def next_letter(beta: Endpoint, kind: int) -> Letter:
    """The next handshake message of that kind; what else comes is passed over."""
    beta.is_manual = True

    def wanted() -> list[Letter]:
        return [one for one in beta.letters if one.message[:1] == bytes([kind])]

    beta.until(wanted, f"a message {kind}")
    found = wanted()[0]
    beta.letters.clear()
    return found


def next_message(beta: Endpoint, kind: int) -> bytes:
    return next_letter(beta, kind).message


def attempt(beta: Endpoint) -> tuple[Initiator, bytes]:
    """An attempt of the oracle's, and A's message 2 for it, not yet taken."""
    return _fenced(beta, None)[:2]


def _fenced(beta: Endpoint, route: Route | None) -> tuple[Initiator, bytes, list[bytes]]:
    """The same, and the messages that came before message 2. As A keeps nothing of a message 1,
    the answer only tells that it has dealt with all that was sent before."""
    beta.is_manual = True
    started = Initiator(beta.starts, [SUITE], beta.next_wishes(), os.urandom)
    beta.letters.clear()
    beta.send_message(started.message_1, route)
    start = b"\2\1\0\0" + keys.sha256(started.message_1)

    def answers() -> list[bytes]:
        return [one.message for one in beta.letters if one.message.startswith(start)]

    beta.until(answers, "a message 2")
    others = [one.message for one in beta.letters if not one.message.startswith(start)]
    two = answers()[0]
    beta.letters.clear()
    return started, two, others


def moves_nothing(
    alpha: Site,
    beta: Endpoint,
    sent: list[bytes],
    route: Route | None = None,
    may_repeat: bytes = b"",
) -> dict[str, int]:
    """Sends it all: A answers nothing, and gets no session of it. `may_repeat` is A's own last
    message, if it waits for an answer. Returns what was counted."""
    before = Counted.of(alpha)
    beta.letters.clear()
    for message in sent:
        beta.send_message(message, route)
    _, _, answers = _fenced(beta, route)
    assert [one for one in answers if one != may_repeat] == []
    after = Counted.of(alpha)
    # A retiring session may end meanwhile, by its own clock.
    assert set(after.sessions) <= set(before.sessions)
    assert after.completed == before.completed
    assert alpha.session()
    return after.since(before)


def flipped(message: bytes, at: int, bit: int = 0) -> bytes:
    changed = bytearray(message)
    changed[at] ^= 1 << bit
    return bytes(changed)


class Dice:
    """Random but for how the first draw, the nonce, begins."""

    def __init__(self, start: bytes):
        self._start = start

    def __call__(self, size: int) -> bytes:
        start, self._start = self._start, b""
        return start + os.urandom(size - len(start))


# --- the dishonest part -----------------------------------------------------------------------
def with_offer(message_1, offer, k1=None):
    """Another offer in the same message 1; with k1, also under a good MAC."""
    numbers = tuple(one.number for one in offer)
    body = replace(m.Message1.decode(message_1), suites=numbers, count=None).body()
    return m.with_mac(k1, body) if k1 else body + message_1[m.BODY :]


def with_fields_2(message_2, k2, **fields):
    return m.with_mac(k2, replace(m.Message2.decode(message_2), **fields).body())


def with_fields_3(message_3, **fields):
    """h_I stays: making another takes more than k1 and k2."""
    return replace(m.Message3.decode(message_3), **fields).body() + message_3[m.BODY :]


# --- the honest part between the attacks ------------------------------------------------------
def rekey(alpha: Site, beta: Endpoint, accepts: Suite = SUITE) -> Letter:
    """A starts an attempt: its message 1, and the way by which answers go."""
    beta.responder.accepts[:] = [accepts]
    beta.letters.clear()
    alpha.ask_rekey()
    return next_letter(beta, 1)


def answer(beta: Endpoint, letter: Letter) -> Verdict:
    """What the honest oracle makes of A's message 1 or 3."""
    return beta.responder.receive(letter.message, letter.route, time.monotonic())


def take_up(beta: Endpoint, session: Session) -> None:
    """The oracle uses it, and so does A."""
    beta.adopt(session)
    beta.session_after(len(beta.sessions) - 1)


def finish_as_i(beta: Endpoint, one: Initiator, message_3: bytes) -> bytes:
    """The attempt that all this was about ends well after all."""
    beta.send_raw(message_3)
    four = next_message(beta, 4)
    take_up(beta, one.receive(four).session)
    return four


def finish_as_r(beta: Endpoint, message_2: bytes, route: Route) -> None:
    beta.send_message(message_2, route)
    verdict = answer(beta, next_letter(beta, 3))
    beta.send_message(verdict.message, route)
    take_up(beta, verdict.session)


def replace_attempt(beta: Endpoint) -> None:
    """A's attempt came to nothing; the oracle's own settles it, by the lower nonce."""
    one = Initiator(beta.starts, [SUITE], beta.next_wishes(), Dice(bytes(8)))
    beta.send_raw(one.message_1)
    finish_as_i(beta, one, one.receive(next_message(beta, 2)).message)
