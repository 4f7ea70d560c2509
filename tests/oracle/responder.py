"""R's state machine (protocol.md, sections 3 and 6): bytes and a clock in seconds, no I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from . import cookie, identity, keys
from . import messages as m
from .initiator import Initiator, State
from .parameters import REFUSED, Agreement, Parameters, Reason, agree
from .session import Session
from .suites import Suite
from .verdicts import Answer, Dropped, Verdict, Why

REPEATS = 8
REMEMBERED = 10.0  # seconds that an accepted nonce_I stays
MOST_REMEMBERED = 100


@dataclass
class _Accepted:
    message_3: bytes
    message_4: bytes
    at: float
    repeats: int = 0


class Responder:
    """Of one link. `random(n)` gives the cookie secret, then in turn nonce_R for each message 2
    and the private value for each accepted message 3."""

    def __init__(
        self,
        role: keys.RoleKeys,
        accepts: Sequence[Suite],
        wishes: Parameters,
        random: Callable[[int], bytes],
        epoch: int = 0,
        site: identity.Identity | None = None,
    ):
        """`epoch` is the cookie clock at the machine's time 0."""
        self._role, self.wishes, self._random, self._epoch = role, wishes, random, epoch
        self.accepts = list(accepts)
        self._secret = random(32)
        self.identity = site
        self._checks: dict[bool, list[float]] = {True: [], False: []}  # by whether inside: when
        self._accepted: dict[bytes, _Accepted] = {}

    def receive(
        self, datagram: bytes, route: cookie.Route, now: float, own: Initiator | None = None
    ) -> Verdict:
        """`route` is the way by which it came, `own` this site's own attempt on the link if any."""
        try:
            kind = m.kind_of(datagram)
        except m.Malformed as error:
            return Dropped(Why.LENGTH if str(error) == "length" else Why.HEADER)
        if kind == 1:
            return self._on_1(datagram, route, now)
        if kind == 3:
            return self._on_3(datagram, route, now, own)
        return Dropped(Why.NOT_EXPECTED)

    # --- message 1: nothing is kept --------------------------------------------------------

    def _on_1(self, datagram: bytes, route: cookie.Route, now: float) -> Verdict:
        one = m.Message1.decode(datagram)
        if one.key_id != self._role.key_id:
            return Dropped(Why.KEY_ID)
        if not m.mac_holds(self._role.k1, datagram):
            return Dropped(Why.MAC)
        if one.count not in range(1, m.MAX_OFFER + 1):
            return Dropped(Why.COUNT)
        h1 = keys.sha256(datagram)
        chosen = next((suite for suite in self.accepts if suite.number in one.suites), None)
        if one.highest < 1:
            return self._refusal(h1, Reason.VERSION)
        if chosen is None:
            return self._refusal(h1, Reason.SUITE)
        nonce_r = self._random(32)
        bound = cookie.Bound(route, one.key_id, h1, nonce_r, chosen.number)
        baked = cookie.bake(self._secret, self._clock(now), bound)
        body = m.Message2(h1, nonce_r, baked, chosen.number).body()
        return Answer(m.with_mac(self._role.k2, body))

    def _refusal(self, h1: bytes, reason: Reason) -> Answer:
        body = m.Message2(h1, bytes(32), bytes(m.COOKIE_SIZE), 0, reason).body()
        return Answer(m.with_mac(self._role.k2, body))

    def _clock(self, now: float) -> int:
        return self._epoch + int(now)

    # --- message 3: the seven checks, then the answer -------------------------------------------

    def _on_3(
        self, datagram: bytes, route: cookie.Route, now: float, own: Initiator | None
    ) -> Verdict:
        three = m.Message3.decode(datagram)
        if three.key_id != self._role.key_id:
            return Dropped(Why.KEY_ID)
        bound = cookie.Bound(route, three.key_id, three.h1, three.nonce_r, three.suite)
        if not cookie.is_good(self._secret, self._clock(now), three.cookie, bound):
            return Dropped(Why.COOKIE)
        self._forget(now)
        if (known := self._accepted.get(three.nonce_i)) is not None:
            return _again(known, datagram)
        if len(self._accepted) >= MOST_REMEMBERED:
            return Dropped(Why.CACHE_FULL)
        t2 = self._rebuilt_t2(three)
        nonce_keys = keys.nonce_keys(self._role.p, three.nonce_i, three.nonce_r)
        if not m.h_holds(nonce_keys.dhmac_i, t2, datagram):
            return Dropped(Why.H)
        opened = keys.open_once(nonce_keys.k3, three.before_sealed(), three.sealed)
        if opened is None:
            return Dropped(Why.SEALED)
        wrong = self._wrong_identity(three, t2, Parameters.decode(opened).identity, route, now)
        if wrong is not None:
            return wrong
        if own is not None and own.state is State.AWAITING_4 and own.nonce_i < three.nonce_i:
            return Dropped(Why.TIE)
        if own is not None:
            own.state = State.ENDED
        t3 = m.transcript(t2, datagram)
        answer = self._answer(three, nonce_keys, t3, Parameters.decode(opened))
        if isinstance(answer, Answer):
            self._accepted[three.nonce_i] = _Accepted(datagram, answer.message, now)
        return answer

    def _wrong_identity(
        self, three: m.Message3, t2: bytes, shown: bytes, route: cookie.Route, now: float
    ) -> Verdict | None:
        refusal = self._refusal(three.h1, Reason.IDENTITY)
        if self.identity is None:
            return refusal if shown else None
        if not self.identity.is_of_peer(shown):
            return refusal
        checks = self._checks[isinstance(route, cookie.Inside)]
        checks[:] = [at for at in checks if now - at < 1]
        if len(checks) >= identity.CHECKS:
            return Dropped(Why.SIGNATURES)
        checks.append(now)
        is_theirs = self.identity.takes_from_i(shown, t2, three.before_sealed())
        return None if is_theirs else refusal

    def _forget(self, now: float) -> None:
        fresh = {n: one for n, one in self._accepted.items() if now - one.at < REMEMBERED}
        self._accepted = fresh

    def _rebuilt_t2(self, three: m.Message3) -> bytes:
        body = m.Message2(three.h1, three.nonce_r, three.cookie, three.suite).body()
        return m.transcript(three.h1, m.with_mac(self._role.k2, body))

    def _answer(
        self, three: m.Message3, nonce_keys: keys.NonceKeys, t3: bytes, theirs: Parameters
    ) -> Verdict:
        suite = next(one for one in self.accepts if one.number == three.suite)
        exchange = suite.exchange
        private = self._random(exchange.private_size)
        shared = exchange.shared(private, three.y_i[: exchange.public_size])
        if shared is None:
            return Dropped(Why.PUBLIC_VALUE)
        secret = keys.session_secret(self._role.p, three.nonce_i, three.nonce_r, shared)
        ours = self.wishes.for_suite(suite)
        agreed = agree(suite, theirs, ours)
        accepted = isinstance(agreed, Agreement)
        said = ours if accepted else replace(REFUSED, reason=agreed)
        y_r = exchange.public(private)
        before = m.Message4(three.nonce_i, y_r).before_sealed()
        if accepted and self.identity is not None:
            said = ours = ours.showing(self.identity.shown_by_r(t3, before))
        sealed = keys.seal_once(keys.key_4(secret, t3, y_r), before, said.encode())
        body = m.Message4(three.nonce_i, y_r, sealed).body()
        message_4 = m.with_h(nonce_keys.dhmac_r, t3, body)
        if not accepted:
            return Answer(message_4)
        t4 = m.transcript(t3, message_4)
        return Answer(message_4, Session(t4, secret, suite, False, ours, theirs, agreed))


def _again(known: _Accepted, datagram: bytes) -> Verdict:
    if datagram != known.message_3:
        return Dropped(Why.CHANGED)
    if known.repeats >= REPEATS:
        return Dropped(Why.REPEATS)
    known.repeats += 1
    return Answer(known.message_4)
