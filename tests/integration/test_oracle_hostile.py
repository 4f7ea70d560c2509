"""The oracle as an attacker without the key: named, counted, and nothing moves."""

import copy
import os
import socket
import time
from collections import Counter

import pytest

pytest.register_assert_rewrite("oracle_ground", "oracle_witness")
pytest_plugins = ["oracle_ground"]

from lab.errors import wait_until
from oracle_ground import SO_NO_CHECK
from oracle_witness import (
    MALFORMED, SUITE, Counted, answer, attempt, finish_as_i, finish_as_r, flipped,
    moves_nothing, next_letter, next_message, rekey, take_up,
)  # fmt: skip
from oracle.cookie import Inside
from oracle.initiator import Initiator

BAD_MAC = {"bad_mac": 1}

# --- cut, and every field wrong in turn -------------------------------------------------------
AT_ONCE = 40  # well within the budget of handshake messages


def batches(all_of_them, size=AT_ONCE):
    return [all_of_them[at : at + size] for at in range(0, len(all_of_them), size)]


def test_messages_of_every_other_length(alpha, mallory):
    one, two = attempt(mallory)
    three = one.receive(two).message
    for message in (one.message_1, two, three, b"\4" + three[1:]):
        cut = [message[:length] for length in range(1, 1024)] + [message + b"\0"]
        for some in batches(cut, 200):
            assert moves_nothing(alpha, mallory, some) == {"bad_handshake": len(some)}
    assert moves_nothing(alpha, mallory, [b""]) == {"bad_length": 1}


def test_every_byte_of_message_1_wrong_in_turn(alpha, mallory):
    """From the nonce on; what stands before it has tests of its own."""
    good = Initiator(mallory.starts, [SUITE], mallory.next_wishes(), os.urandom).message_1
    for places in batches(range(12, 1024)):
        wrong = [flipped(good, at) for at in places]
        assert moves_nothing(alpha, mallory, wrong) == {"bad_mac": len(wrong)}, places


def test_every_byte_of_message_3_wrong_in_turn(alpha, mallory):
    for places in batches(range(12, 1024)):
        one, two = attempt(mallory)
        good = one.receive(two).message
        wrong = [flipped(good, at) for at in places]
        assert moves_nothing(alpha, mallory, wrong) == Counter(map(notices_3, places)), places
    finish_as_i(mallory, one, good)


@pytest.mark.parametrize(
    ("field", "at", "name"),
    [
        ("type", 0, {"bad_type": 1}),
        ("version", 1, MALFORMED),
        ("zero", 2, MALFORMED),
        ("zero", 3, MALFORMED),
        ("key id", 4, {"unknown_key": 1}),
        ("nonce_I", 12, BAD_MAC),
        ("highest", 44, BAD_MAC),
        ("count", 45, BAD_MAC),
        ("suites", 46, BAD_MAC),
        ("unused suites", 77, BAD_MAC),
        ("padding", 78, BAD_MAC),
        ("end of padding", 991, BAD_MAC),
        ("MAC", 992, BAD_MAC),
        ("end of MAC", 1023, BAD_MAC),
    ],
)
def test_a_wrong_field_in_message_1(alpha, mallory, field, at, name):
    started = Initiator(mallory.starts, [SUITE], mallory.next_wishes(), os.urandom)
    assert moves_nothing(alpha, mallory, [flipped(started.message_1, at)]) == name


FIELDS_3 = {
    "nonce_I": 12, "H1": 44, "nonce_R": 76, "epoch": 108, "cookie": 112, "suite": 137,
    "zero": 138, "y_I": 140, "end of y_I": 395, "sealed_I": 396, "its tag": 539, "padding": 540,
    "end of padding": 991, "h_I": 992, "end of h_I": 1023,
}  # fmt: skip


def notices_3(at):
    """Which check sees that a byte of message 3 is wrong: what the cookie holds, or h_I."""
    return "bad_cookie" if 44 <= at < 138 else "downgrade"


def test_a_wrong_field_in_message_3(alpha, mallory):
    one, two = attempt(mallory)
    three = one.receive(two).message
    for at in (1, 2, 3):
        assert moves_nothing(alpha, mallory, [flipped(three, at)]) == MALFORMED
    moves_nothing(alpha, mallory, [flipped(three, 4)])  # the key id
    for name, at in FIELDS_3.items():
        assert moves_nothing(alpha, mallory, [flipped(three, at)]) == {notices_3(at): 1}, name
    finish_as_i(mallory, one, three)


def test_a_wrong_field_in_message_2(alpha, mallory):
    message_1 = rekey(alpha, mallory)
    two, route = answer(mallory, message_1).message, message_1.route
    places = {"nonce_R": 36, "cookie": 68, "suite": 97, "reason": 98, "padding": 99, "MAC": 992}
    changed = [flipped(two, at) for at in places.values()]
    count = moves_nothing(alpha, mallory, changed, route, message_1.message)
    assert count == {"bad_mac": len(changed)}
    moves_nothing(alpha, mallory, [flipped(two, 4)], route, message_1.message)  # H1
    finish_as_r(mallory, two, route)


def test_a_wrong_field_in_message_4(alpha, mallory):
    message_1 = rekey(alpha, mallory)
    route = message_1.route
    mallory.send_message(answer(mallory, message_1).message, route)
    message_3 = next_letter(mallory, 3)
    verdict = answer(mallory, message_3)
    four = verdict.message
    places = {"y_R": 36, "its zeros": 291, "sealed_R": 292, "tag": 435, "padding": 436, "h_R": 992}
    changed = [flipped(four, at) for at in places.values()]
    count = moves_nothing(alpha, mallory, changed, route, message_3.message)
    assert count == {"bad_proof": len(changed)}
    moves_nothing(alpha, mallory, [flipped(four, 4)], route, message_3.message)  # nonce_I
    mallory.send_message(four, route)
    take_up(mallory, verdict.session)


# --- message 3 again, late, and by another way ------------------------------------------------
@pytest.fixture(scope="module")
def early(ground, endpoint):
    """A message 3 made when the first test needs it, and when that was."""
    one, two = attempt(endpoint)
    return one.receive(two).message, time.monotonic()


def test_a_cookie_for_another_address(ground, alpha, mallory, early):
    """The same bytes from another port, where it is another's."""
    one, two = attempt(mallory)
    three = one.receive(two).message
    with ground[0].site_b.entered():
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with stranger:
        stranger.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        stranger.bind((mallory.udp.getsockname()[0], 0))
        before = Counted.of(alpha)
        stranger.sendto(three, (mallory.peer.ip, mallory.peer.port))
        assert moves_nothing(alpha, mallory, []) == {}
        assert Counted.of(alpha).since(before) == {"bad_cookie": 1}
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(1)
    finish_as_i(mallory, one, three)


def test_a_cookie_for_the_other_way(alpha, mallory):
    """One that was given in the clear is not taken inside the session."""
    one, two = attempt(mallory)
    three = one.receive(two).message
    inside = Inside(mallory.sessions[-1].session.id)
    assert moves_nothing(alpha, mallory, [three], inside) == {"bad_cookie": 1}
    finish_as_i(mallory, one, three)


def test_a_message_3_again_is_answered_by_the_same_bytes_eight_times(alpha, mallory):
    one, two = attempt(mallory)
    message_3 = one.receive(two).message
    four = finish_as_i(mallory, one, message_3)
    wait_until(lambda: alpha.session()["id"] == mallory.sessions[-1].session.id[:8].hex(), "A")
    completed = Counted.of(alpha).completed
    for _ in range(8):
        mallory.send_raw(message_3)
        assert next_message(mallory, 4) == four
    moves_nothing(alpha, mallory, [message_3] * 3)
    assert moves_nothing(alpha, mallory, [flipped(message_3, 1023)]) == {"altered_repeat": 1}
    assert Counted.of(alpha).completed == completed


def test_another_message_3_for_the_same_nonce(alpha, mallory):
    """Good in all else: a second message 2 for the same message 1, and the key for its h."""
    one, two = attempt(mallory)
    other = copy.copy(one)
    mallory.send_raw(one.message_1)
    second = other.receive(next_message(mallory, 2)).message
    finish_as_i(mallory, one, one.receive(two).message)
    assert moves_nothing(alpha, mallory, [second]) == {"altered_repeat": 1}


def test_a_late_cookie(alpha, mallory, early):
    """Good once, no more after its 10 seconds; a fresh one is."""
    message_3, made = early
    while time.monotonic() < made + 11:
        mallory.send()  # else A takes us for dead
        time.sleep(0.5)
    moves_nothing(alpha, mallory, [message_3])
    one, two = attempt(mallory)
    finish_as_i(mallory, one, one.receive(two).message)
