"""What a pipe's operator reads when a connection ends by itself: each cause has its sentence."""

import contextlib

import pytest
from lab.errors import wait_until
from lab.pipe_siege import Cut, Siege, drained, flipped
from lab.pipe_traffic import reset
from lab.pipes import PENSTOCK, Lane, connect
from oracle.pipe import HANDSHAKE, NONCE, PACKET, PUBLIC


def cut(siege: Siege, limit: int) -> None:
    with siege.connection(limit=limit) as (far, near), contextlib.suppress(Cut):
        far.shake_hands()
        siege.ask(far, near)


def refused(siege: Siege, **about) -> None:
    with siege.connection(**about) as (far, _), contextlib.suppress(ConnectionError):
        far.shake_hands()
        far.say(b"word")
        drained(far.end)


def changed(siege: Siege, place: int) -> None:
    refused(siege, change=flipped(place))


def broken(siege: Siege) -> None:
    with siege.connection() as (far, near):
        far.shake_hands()
        siege.ask(far, near)
        reset(far.end)


CAUSES = {
    "handshake cut": (lambda siege: cut(siege, NONCE), "closed during the handshake"),
    "bad handshake": (lambda siege: changed(siege, NONCE + PUBLIC), "handshake does not hold"),
    "not forward": (lambda siege: refused(siege, x=0), "no forward secrecy"),
    "bad packet": (lambda siege: changed(siege, HANDSHAKE), "a packet does not hold"),
    "cut packet": (lambda siege: cut(siege, HANDSHAKE + PACKET - 1), "closed inside a packet"),
    "reset": (broken, "the connection to the far side broke"),
}


@pytest.fixture(scope="module", params=["-e", "-d"])
def siege(request):
    with Lane() as lane:
        yield Siege(lane, PENSTOCK, request.param, "-g", "-o", "60")


@pytest.mark.parametrize("cause", CAUSES)
def test_why_a_connection_ended(siege, cause):
    act, sentence = CAUSES[cause]
    assert sentence not in siege.end.said()
    act(siege)
    wait_until(lambda: sentence in siege.end.said(), f"the sentence: {sentence}", every=0.02)


@pytest.mark.parametrize("role", ["-e", "-d"])
def test_a_handshake_that_never_ends(role):
    with Lane() as lane:
        siege = Siege(lane, PENSTOCK, role, "-o", "1")
        with siege.sockets() as (far, _):
            drained(far)
        sentence = "did not finish its handshake in time"
        wait_until(lambda: sentence in siege.end.said(), f"the sentence: {sentence}", every=0.02)


def test_a_target_that_is_not_there():
    with Lane() as lane:
        end = lane.end(PENSTOCK, "-e", lane.unix_address())
        with connect(end.source) as near:
            assert drained(near) == b""
        wait_until(lambda: "no address of the target" in end.said(), "the sentence", every=0.02)
