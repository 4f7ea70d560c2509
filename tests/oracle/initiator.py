"""I's state machine (protocol.md, sections 3 and 6): bytes and a clock in seconds, no I/O."""

from collections.abc import Callable, Sequence
from enum import Enum

from . import keys
from . import messages as m
from .identity import Identity
from .parameters import Agreement, Parameters, Reason, agree
from .session import Session
from .suites import Suite
from .verdicts import Agreed, Answer, Dropped, Refused, Verdict, Why

FIRST_RESEND, LAST_RESEND, LIFE = 0.25, 1.0, 5.0  # seconds


class State(Enum):
    AWAITING_2, AWAITING_4, ENDED = range(3)


class Initiator:
    """One attempt. `random(n)` gives nonce_I, then the private value."""

    def __init__(
        self,
        role: keys.RoleKeys,
        offer: Sequence[Suite],
        wishes: Parameters,
        random: Callable[[int], bytes],
        now: float = 0.0,
        identity: Identity | None = None,
    ):
        self._identity = identity
        self._role, self._wishes, self._random = role, wishes, random
        self._offer = {suite.number: suite for suite in offer}
        self.nonce_i = random(32)
        body = m.Message1(role.key_id, self.nonce_i, tuple(self._offer)).body()
        self.message_1 = m.with_mac(role.k1, body)
        self.h1 = keys.sha256(self.message_1)
        self.state = State.AWAITING_2
        self._deadline = now + LIFE
        self._sent(self.message_1, now)

    # --- timers ------------------------------------------------------------------------

    def _sent(self, message: bytes, now: float) -> None:
        self.last, self._wait = message, FIRST_RESEND
        self._resend_at = now + self._wait

    def tick(self, now: float) -> bytes | None:
        """The last message again when it is time; ends the attempt after its life."""
        if self.state is State.ENDED:
            return None
        if now >= self._deadline:
            self.state = State.ENDED
            return None
        if now < self._resend_at:
            return None
        self._wait = min(2 * self._wait, LAST_RESEND)
        self._resend_at = now + self._wait
        return self.last

    # --- what comes ----------------------------------------------------------------------

    def receive(self, datagram: bytes, now: float = 0.0) -> Verdict:
        try:
            kind = m.kind_of(datagram)
        except m.Malformed as error:
            return Dropped(Why.LENGTH if str(error) == "length" else Why.HEADER)
        if (self.state, kind) == (State.AWAITING_2, 2):
            return self._on_2(datagram, now)
        if (self.state, kind) == (State.AWAITING_4, 2) and self._refuses_identity(datagram):
            return self._ended(Refused(Reason.IDENTITY))
        if (self.state, kind) == (State.AWAITING_4, 4):
            return self._on_4(datagram)
        return Dropped(Why.NOT_EXPECTED)

    def _on_2(self, datagram: bytes, now: float) -> Verdict:
        two = m.Message2.decode(datagram)
        if two.h1 != self.h1:
            return Dropped(Why.H1)
        if not m.mac_holds(self._role.k2, datagram):
            return Dropped(Why.MAC)
        if two.suite == 0:
            return self._ended(Refused(_reason(two.reason)))
        if two.suite not in self._offer:
            return Dropped(Why.NOT_OFFERED)
        self._suite = self._offer[two.suite]
        self.two = two
        self.t2 = m.transcript(self.h1, datagram)
        self.state = State.AWAITING_4
        message_3 = self._make_3()
        self._sent(message_3, now)
        return Answer(message_3)

    def _refuses_identity(self, datagram: bytes) -> bool:
        two = m.Message2.decode(datagram)
        is_refusal = (two.h1, two.suite, two.reason) == (self.h1, 0, Reason.IDENTITY)
        return is_refusal and m.mac_holds(self._role.k2, datagram)

    def _make_3(self) -> bytes:
        two, exchange = self.two, self._suite.exchange
        self._private = self._random(exchange.private_size)
        self.ours = self._wishes.for_suite(self._suite)
        self.nonce_keys = keys.nonce_keys(self._role.p, self.nonce_i, two.nonce_r)
        three = m.Message3(
            self._role.key_id, self.nonce_i, self.h1, two.nonce_r, two.cookie, two.suite,
            exchange.public(self._private),
        )  # fmt: skip
        before = three.before_sealed()
        if self._identity is not None:
            self.ours = self.ours.showing(self._identity.shown_by_i(self.t2, before))
        sealed = keys.seal_once(self.nonce_keys.k3, before, self.ours.encode())
        body = m.Message3(**{**vars(three), "sealed": sealed}).body()
        message_3 = m.with_h(self.nonce_keys.dhmac_i, self.t2, body)
        self.t3 = m.transcript(self.t2, message_3)
        return message_3

    def _on_4(self, datagram: bytes) -> Verdict:
        four = m.Message4.decode(datagram)
        if four.nonce_i != self.nonce_i:
            return Dropped(Why.NONCE)
        if not m.h_holds(self.nonce_keys.dhmac_r, self.t3, datagram):
            return Dropped(Why.H)
        y_r = four.y_r[: self._suite.exchange.public_size]
        shared = self._suite.exchange.shared(self._private, y_r)
        if shared is None:
            return Dropped(Why.PUBLIC_VALUE)
        secret = keys.session_secret(self._role.p, self.nonce_i, self.two.nonce_r, shared)
        key = keys.key_4(secret, self.t3, y_r)
        opened = keys.open_once(key, four.before_sealed(), four.sealed)
        if opened is None:
            return Dropped(Why.SEALED)
        return self._ended(self._settle(datagram, secret, Parameters.decode(opened)))

    def _takes_identity(self, message_4: bytes, shown: bytes) -> bool:
        if self._identity is None:
            return not shown
        before = m.Message4.decode(message_4).before_sealed()
        return self._identity.takes_from_r(shown, self.t3, before)

    def _settle(self, message_4: bytes, secret: bytes, theirs: Parameters) -> Verdict:
        if theirs.reason:
            return Refused(_reason(theirs.reason))
        if not self._takes_identity(message_4, theirs.identity):
            return Refused(Reason.IDENTITY, by_us=True)
        agreed = agree(self._suite, self.ours, theirs)
        if not isinstance(agreed, Agreement):
            return Refused(agreed, by_us=True)
        t4 = m.transcript(self.t3, message_4)
        return Agreed(Session(t4, secret, self._suite, True, self.ours, theirs, agreed))

    def _ended(self, verdict: Verdict) -> Verdict:
        self.state = State.ENDED
        return verdict


def _reason(number: int) -> Reason:
    return Reason(number) if number in list(Reason) else Reason.NONE
