"""The oracle as an attacker who holds k1 and k2, or the whole key, and breaks the rules."""

import os
from dataclasses import replace

import pytest

pytest.register_assert_rewrite("oracle_ground", "oracle_witness")
pytest_plugins = ["oracle_ground"]

from oracle_ground import NAMES
from oracle_witness import (
    SUITE, Dice, answer, attempt, moves_nothing, next_letter, next_message, rekey,
    replace_attempt, take_up, with_fields_2, with_fields_3, with_offer,
)  # fmt: skip
from oracle import keys
from oracle import messages as m
from oracle.endpoint import Letter
from oracle.exchange import GROUP_14
from oracle.initiator import Initiator
from oracle.parameters import Reason
from oracle.suites import Suite, suite
from oracle.verdicts import Dropped, Why

OTHERS = [suite(name) for name in NAMES if name != SUITE.name]

# --- suites changed in flight -----------------------------------------------------------------
CHANGES = {
    "stripped": lambda offer: offer[1:],
    "reordered": lambda offer: offer[::-1],
    "replaced": lambda offer: [suite("X25519-NULL"), *offer[1:]],
    "added to": lambda offer: [*offer, suite("X25519-NULL")],
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_offer_changed_without_the_key_fails_at_its_mac(alpha, mallory, change):
    offer = OTHERS[:3]
    one = Initiator(mallory.starts, offer, mallory.next_wishes(), os.urandom)
    changed = with_offer(one.message_1, CHANGES[change](offer))
    assert moves_nothing(alpha, mallory, [changed]) == {"bad_mac": 1}


@pytest.mark.parametrize("change", CHANGES)
def test_an_offer_changed_with_k1_and_k2_fails_at_the_cookie_and_at_h(alpha, mallory, change):
    """The oracle starts, A answers what the attacker made of it."""
    offer = OTHERS[:3]
    one = Initiator(mallory.starts, offer, mallory.next_wishes(), os.urandom)
    changed = with_offer(one.message_1, CHANGES[change](offer), mallory.starts.k1)
    mallory.send_raw(changed)
    two = next_message(mallory, 2)
    believed = with_fields_2(two, mallory.starts.k2, h1=keys.sha256(one.message_1))
    verdict = one.receive(believed)
    if "NULL" in suite_of(two).name:
        # A prefers another of the offer unless all others are gone; the far side never offered it.
        assert verdict == Dropped(Why.NOT_OFFERED)
        return
    assert moves_nothing(alpha, mallory, [verdict.message]) == {"bad_cookie": 1}  # at the cookie
    for_cookie = with_fields_3(verdict.message, h1=keys.sha256(changed))
    assert moves_nothing(alpha, mallory, [for_cookie]) == {"downgrade": 1}  # at h_I
    assert "refused a downgrade" in alpha.log()  # at most once a minute


def suite_of(message_2):
    return next(one for one in [SUITE, *OTHERS] if one.number == m.Message2.decode(message_2).suite)


@pytest.mark.parametrize("change", CHANGES)
def test_an_offer_of_a_site_changed_with_k1_and_k2_is_noticed_by_the_oracle(alpha, mallory, change):
    """A starts, the oracle answers what the attacker made of it."""
    honest = rekey(alpha, mallory, OTHERS[1])
    route = honest.route
    offer = [suite(name) for name in NAMES][:4]
    changed = with_offer(honest.message, CHANGES[change](offer), mallory.answers.k1)
    two = answer(mallory, Letter(changed, route)).message
    h1 = keys.sha256(honest.message)
    mallory.send_message(with_fields_2(two, mallory.answers.k2, h1=h1), route)
    three = next_letter(mallory, 3)
    assert answer(mallory, three) == Dropped(Why.COOKIE)
    for_cookie = with_fields_3(three.message, h1=keys.sha256(changed))
    assert answer(mallory, Letter(for_cookie, route)) == Dropped(Why.H)
    replace_attempt(mallory)


def test_a_choice_changed_with_k2_fails_at_the_cookie_and_at_h(alpha, mallory):
    one = Initiator(mallory.starts, OTHERS[:3], mallory.next_wishes(), os.urandom)
    mallory.send_raw(one.message_1)
    two = next_message(mallory, 2)
    chosen = suite_of(two)
    other = next(offered for offered in OTHERS[:3] if offered is not chosen)
    three = one.receive(with_fields_2(two, mallory.starts.k2, suite=other.number)).message
    assert moves_nothing(alpha, mallory, [three]) == {"bad_cookie": 1}
    for_cookie = with_fields_3(three, suite=chosen.number)
    assert moves_nothing(alpha, mallory, [for_cookie]) == {"downgrade": 1}


def test_a_choice_of_the_oracle_changed_with_k2_is_noticed(alpha, mallory):
    honest = rekey(alpha, mallory, OTHERS[1])
    two, other = answer(mallory, honest).message, OTHERS[2].number
    mallory.send_message(with_fields_2(two, mallory.answers.k2, suite=other), honest.route)
    three = next_letter(mallory, 3)
    assert answer(mallory, three) == Dropped(Why.COOKIE)
    for_cookie = with_fields_3(three.message, suite=OTHERS[1].number)
    assert answer(mallory, Letter(for_cookie, three.route)) == Dropped(Why.H)
    replace_attempt(mallory)


# --- with the whole key, and against the rules ------------------------------------------------
@pytest.mark.parametrize("count", [0, 17, 255])
def test_a_count_out_of_range(alpha, mallory, count):
    body = m.Message1(mallory.starts.key_id, os.urandom(32), (SUITE.number,), count=count).body()
    assert moves_nothing(alpha, mallory, [m.with_mac(mallory.starts.k1, body)]) == {"bad_fields": 1}


@pytest.mark.parametrize(
    ("highest", "suites", "reason"),
    [(1, (0x0000, 0x01FE, 0xFF01), Reason.SUITE), (0, (SUITE.number,), Reason.VERSION)],
)
def test_an_offer_that_is_refused(mallory, highest, suites, reason):
    body = m.Message1(mallory.starts.key_id, os.urandom(32), suites, highest).body()
    mallory.letters.clear()
    mallory.send_raw(m.with_mac(mallory.starts.k1, body))
    two = next_message(mallory, 2)
    assert m.mac_holds(mallory.starts.k2, two)
    said = m.Message2.decode(two)
    assert (said.suite, said.reason) == (0, reason)
    assert not any(said.nonce_r + said.cookie)


BAD_VALUES = {
    "X25519": [bytes(32), b"\1" + bytes(31)],
    "P256": [bytes(65), b"\4" + bytes(64), b"\4" + b"\xff" * 64, b"\2" + bytes(64)],
    "P384": [bytes(97), b"\4" + bytes(96), b"\4" + b"\xff" * 96, b"\3" + bytes(96)],
    "MODP2048": [
        number.to_bytes(256, "big") for number in (0, 1, GROUP_14 - 1, GROUP_14, 2**2048 - 1)
    ],
}


def with_public(name, value):
    """The first suite with that exchange, made to send `value`."""
    good = next(suite(one) for one in NAMES if one.startswith(name))
    return Suite(replace(good.exchange, public=lambda private: value), good.protection)


@pytest.mark.parametrize("name", BAD_VALUES)
def test_public_values_that_are_refused_in_message_3(alpha, mallory, name):
    for value in BAD_VALUES[name]:
        chosen = with_public(name, value)
        one = Initiator(mallory.starts, [chosen], mallory.next_wishes(), os.urandom)
        mallory.send_raw(one.message_1)
        three = one.receive(next_message(mallory, 2)).message
        assert moves_nothing(alpha, mallory, [three]) == {"bad_public_value": 1}


def test_sealed_parameters_that_do_not_open(alpha, mallory):
    """Under a good h_I."""
    one, two = attempt(mallory)
    three = m.Message3.decode(one.receive(two).message)
    body = replace(three, sealed=os.urandom(m.SEALED_SIZE)).body()
    forged = m.with_h(one.nonce_keys.dhmac_i, one.t2, body)
    assert moves_nothing(alpha, mallory, [forged]) == {"bad_seal": 1}


def test_a_tie_that_is_ours(alpha, mallory):
    """A has its message 2 and the lower nonce: it drops the other message 3 and goes on."""
    message_1 = rekey(alpha, mallory)
    mallory.send_message(answer(mallory, message_1).message, message_1.route)
    message_3 = next_letter(mallory, 3)
    one = Initiator(mallory.starts, [SUITE], mallory.next_wishes(), Dice(b"\xff" * 8))
    mallory.send_raw(one.message_1)
    ours = one.receive(next_message(mallory, 2)).message
    moves_nothing(alpha, mallory, [ours], None, message_3.message)
    verdict = answer(mallory, message_3)
    mallory.send_message(verdict.message, message_3.route)
    take_up(mallory, verdict.session)
