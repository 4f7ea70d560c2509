"""What a state machine makes of a datagram."""

from dataclasses import dataclass, field
from enum import Enum

from .parameters import Reason
from .session import Session


class Why(Enum):
    """Why a message was dropped, in the words of protocol.md's checks."""

    LENGTH = "length"
    HEADER = "header"
    NOT_EXPECTED = "not expected in this state"
    KEY_ID = "key id"
    MAC = "MAC"
    COUNT = "count of suites out of range"
    H1 = "H1 is of another message 1"
    NOT_OFFERED = "the suite was not offered"
    COOKIE = "cookie"
    CHANGED = "a different message 3 with an accepted nonce_I"
    REPEATS = "the same message 3 too often"
    CACHE_FULL = "too many handshakes at once"
    H = "h"
    SEALED = "sealed parameters"
    SIGNATURES = "too many signatures to check"
    TIE = "our own handshake goes on"
    PUBLIC_VALUE = "public value"
    NONCE = "nonce_I is of another handshake"


@dataclass(frozen=True)
class Dropped:
    why: Why


@dataclass(frozen=True)
class Answer:
    """To be sent; with a session when it is also agreed."""

    message: bytes = field(repr=False)
    session: Session | None = None


@dataclass(frozen=True)
class Agreed:
    session: Session


@dataclass(frozen=True)
class Refused:
    """The attempt ended. `by_us`: what R offered was wrong, so nobody told us."""

    reason: Reason
    by_us: bool = False


Verdict = Dropped | Answer | Agreed | Refused
