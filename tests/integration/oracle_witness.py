"""What a site made of messages that should move nothing."""

import os
from dataclasses import dataclass, field
from typing import Any

from lab.site import Site
from oracle import keys
from oracle.cookie import Route
from oracle.endpoint import Endpoint, Letter
from oracle.initiator import Initiator
from oracle.suites import suite

SUITE = suite("X25519-AES256_GCM")


@dataclass(frozen=True)
class Counted:
    """What the status says of a link, and its difference from an earlier one."""

    refused: int
    drops: dict[str, int]
    sessions: list[str] = field(default_factory=list)
    completed: int = 0

    @staticmethod
    def of(alpha: Site) -> "Counted":
        status = alpha.status()
        assert status is not None
        link = status["links"][0]
        ids = [one["id"] for one in link["sessions"]]
        return Counted(
            _sum(link["messages_refused"]), status["drops"], ids, link["handshakes_completed"]
        )

    def since(self, before: "Counted") -> dict[str, int]:
        """Only what changed, under its name."""
        drops = {name: count - before.drops[name] for name, count in self.drops.items()}
        changes = {"refused": self.refused - before.refused, **drops}
        return {name: count for name, count in changes.items() if count}


def _sum(counts: Any) -> int:
    """One number, or one a name."""
    return sum(counts.values()) if isinstance(counts, dict) else counts


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
