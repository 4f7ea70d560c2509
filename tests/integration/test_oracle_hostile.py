"""The oracle as an attacker, without the key and with it: named, counted, and nothing moves."""

import os
import time
from dataclasses import replace

import pytest

pytest.register_assert_rewrite("oracle_ground", "oracle_witness")
pytest_plugins = ["oracle_ground"]

from oracle_ground import NAMES, shake
from oracle_witness import SUITE, attempt, moves_nothing, next_letter, next_message
from oracle import messages as m
from oracle import keys
from oracle.endpoint import Letter
from oracle.initiator import Initiator
from oracle.suites import suite
from oracle.verdicts import Dropped, Why

REFUSED = {"refused": 1}
MALFORMED = {"wire_malformed": 1}
OTHERS = [suite(name) for name in NAMES if name != SUITE.name]


@pytest.fixture(autouse=True)
def link_is_up(alpha, beta):
    """So that A starts nothing by itself. From then on the test answers, not the oracle."""
    if not beta.sessions:
        shake(beta, alpha, "initiator", SUITE)
    beta.is_manual = True


def flipped(message, at, bit=0):
    changed = bytearray(message)
    changed[at] ^= 1 << bit
    return bytes(changed)


def rekey(alpha, beta, accepts=SUITE):
    """A starts an attempt: its message 1, and the way by which answers go."""
    beta.responder.accepts[:] = [accepts]
    beta.letters.clear()
    alpha.ask_rekey()
    return next_letter(beta, 1)


def answer(beta, letter):
    """What the honest oracle makes of A's message 1 or 3."""
    return beta.responder.receive(letter.message, letter.route, time.monotonic())


def take_up(beta, session):
    """The oracle uses it, and so does A."""
    beta.adopt(session)
    beta.session_after(len(beta.sessions) - 1)


def finish_as_i(beta, one, message_3):
    """The attempt that all this was about ends well after all."""
    beta.send_raw(message_3)
    four = next_message(beta, 4)
    take_up(beta, one.receive(four).session)
    return four


def finish_as_r(beta, message_2, route):
    beta.send_message(message_2, route)
    verdict = answer(beta, next_letter(beta, 3))
    beta.send_message(verdict.message, route)
    take_up(beta, verdict.session)


# --- cut, and every field wrong in turn -----------------------------------------------------------

LENGTHS = [1, 2, 3, 4, 5, 12, 15, 16, 17, 44, 100, 396, 540, 991, 992, 1023]


def test_messages_of_any_other_length(alpha, beta):
    one, two = attempt(beta)
    three = one.receive(two).message
    for message in (one.message_1, two, three, b"\4" + three[1:]):
        cut = [message[:length] for length in LENGTHS] + [message + b"\0"]
        assert moves_nothing(alpha, beta, cut) == {"wire_malformed": len(cut)}
    assert moves_nothing(alpha, beta, [b""]) == {"bad_length": 1}
    finish_as_i(beta, one, three)


@pytest.mark.parametrize(
    ("field", "at", "name"),
    [
        ("type", 0, {"bad_type": 1}),
        ("version", 1, MALFORMED),
        ("zero", 2, MALFORMED),
        ("zero", 3, MALFORMED),
        ("key id", 4, REFUSED),
        ("nonce_I", 12, REFUSED),
        ("highest", 44, REFUSED),
        ("count", 45, REFUSED),
        ("suites", 46, REFUSED),
        ("unused suites", 77, REFUSED),
        ("padding", 78, REFUSED),
        ("end of padding", 991, REFUSED),
        ("MAC", 992, REFUSED),
        ("end of MAC", 1023, REFUSED),
    ],
)
def test_a_wrong_field_in_message_1(alpha, beta, field, at, name):
    started = Initiator(beta.starts, [SUITE], beta.next_wishes(), os.urandom)
    assert moves_nothing(alpha, beta, [flipped(started.message_1, at)]) == name


FIELDS_3 = {
    "nonce_I": 12, "H1": 44, "nonce_R": 76, "epoch": 108, "cookie": 112, "suite": 137,
    "zero": 138, "y_I": 140, "end of y_I": 395, "sealed_I": 396, "its tag": 539, "padding": 540,
    "end of padding": 991, "h_I": 992, "end of h_I": 1023,
}  # fmt: skip


def test_a_wrong_field_in_message_3(alpha, beta):
    one, two = attempt(beta)
    three = one.receive(two).message
    for at in (1, 2, 3):
        assert moves_nothing(alpha, beta, [flipped(three, at)]) == MALFORMED
    moves_nothing(alpha, beta, [flipped(three, 4)])  # the key id
    for name, at in FIELDS_3.items():
        assert moves_nothing(alpha, beta, [flipped(three, at)]) == REFUSED, name
    finish_as_i(beta, one, three)


def test_a_wrong_field_in_message_2(alpha, beta):
    message_1 = rekey(alpha, beta)
    two, route = answer(beta, message_1).message, message_1.route
    places = {"nonce_R": 36, "cookie": 68, "suite": 97, "reason": 98, "padding": 99, "MAC": 992}
    changed = [flipped(two, at) for at in places.values()]
    count = moves_nothing(alpha, beta, changed, route, message_1.message)
    assert count == {"refused": len(changed)}
    moves_nothing(alpha, beta, [flipped(two, 4)], route, message_1.message)  # H1
    finish_as_r(beta, two, route)


def test_a_wrong_field_in_message_4(alpha, beta):
    message_1 = rekey(alpha, beta)
    route = message_1.route
    beta.send_message(answer(beta, message_1).message, route)
    message_3 = next_letter(beta, 3)
    verdict = answer(beta, message_3)
    four = verdict.message
    places = {"y_R": 36, "its zeros": 291, "sealed_R": 292, "tag": 435, "padding": 436, "h_R": 992}
    changed = [flipped(four, at) for at in places.values()]
    count = moves_nothing(alpha, beta, changed, route, message_3.message)
    assert count == {"refused": len(changed)}
    moves_nothing(alpha, beta, [flipped(four, 4)], route, message_3.message)  # nonce_I
    beta.send_message(four, route)
    take_up(beta, verdict.session)


# --- suites changed in flight ----------------------------------------------------------------------

CHANGES = {
    "stripped": lambda offer: offer[1:],
    "reordered": lambda offer: offer[::-1],
    "replaced": lambda offer: [suite("X25519-NULL"), *offer[1:]],
    "added to": lambda offer: [*offer, suite("X25519-NULL")],
}


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


@pytest.mark.parametrize("change", CHANGES)
def test_an_offer_changed_without_the_key_fails_at_its_mac(alpha, beta, change):
    offer = OTHERS[:3]
    one = Initiator(beta.starts, offer, beta.next_wishes(), os.urandom)
    changed = with_offer(one.message_1, CHANGES[change](offer))
    assert moves_nothing(alpha, beta, [changed]) == REFUSED


@pytest.mark.parametrize("change", CHANGES)
def test_an_offer_changed_with_k1_and_k2_fails_at_the_cookie_and_at_h(alpha, beta, change):
    """The oracle starts, A answers what the attacker made of it."""
    offer = OTHERS[:3]
    one = Initiator(beta.starts, offer, beta.next_wishes(), os.urandom)
    changed = with_offer(one.message_1, CHANGES[change](offer), beta.starts.k1)
    beta.send_raw(changed)
    two = next_message(beta, 2)
    believed = with_fields_2(two, beta.starts.k2, h1=keys.sha256(one.message_1))
    verdict = one.receive(believed)
    if "NULL" in suite_of(two).name:
        # A prefers another of the offer unless all others are gone; the far side never offered it.
        assert verdict == Dropped(Why.NOT_OFFERED)
        return
    assert moves_nothing(alpha, beta, [verdict.message]) == REFUSED  # at the cookie
    for_cookie = with_fields_3(verdict.message, h1=keys.sha256(changed))
    assert moves_nothing(alpha, beta, [for_cookie]) == REFUSED  # at h_I


def suite_of(message_2):
    return next(one for one in [SUITE, *OTHERS] if one.number == m.Message2.decode(message_2).suite)


@pytest.mark.parametrize("change", CHANGES)
def test_an_offer_of_a_site_changed_with_k1_and_k2_is_noticed_by_the_oracle(alpha, beta, change):
    """A starts, the oracle answers what the attacker made of it."""
    honest = rekey(alpha, beta, OTHERS[1])
    route = honest.route
    offer = [suite(name) for name in NAMES][:4]
    changed = with_offer(honest.message, CHANGES[change](offer), beta.answers.k1)
    two = answer(beta, Letter(changed, route)).message
    h1 = keys.sha256(honest.message)
    beta.send_message(with_fields_2(two, beta.answers.k2, h1=h1), route)
    three = next_letter(beta, 3)
    assert answer(beta, three) == Dropped(Why.COOKIE)
    for_cookie = with_fields_3(three.message, h1=keys.sha256(changed))
    assert answer(beta, Letter(for_cookie, route)) == Dropped(Why.H)
    replace_attempt(beta)


def replace_attempt(beta):
    """A's attempt came to nothing; the oracle's own settles it, by the lower nonce."""
    one = Initiator(beta.starts, [SUITE], beta.next_wishes(), Dice(bytes(8)))
    beta.send_raw(one.message_1)
    finish_as_i(beta, one, one.receive(next_message(beta, 2)).message)


class Dice:
    """Random but for how the first draw, the nonce, begins."""

    def __init__(self, start):
        self._start = start

    def __call__(self, size):
        start, self._start = self._start, b""
        return start + os.urandom(size - len(start))
