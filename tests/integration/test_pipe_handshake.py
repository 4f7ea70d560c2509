"""Handshakes of pipes, between spiped's ends and ours: which succeed, and that whatever is cut,
changed, repeated or never finished closes its own connection and no other."""

import itertools
import os
import re
import signal
import socket
import time

import pytest
from lab.errors import wait_until
from lab.pipe_siege import Cut, Siege, drained, flipped
from lab.pipe_traffic import Echo, ask, reset
from lab.pipes import MAKERS, PAIRS, PENSTOCK, Lane, connect, name_of
from oracle.pipe import HANDSHAKE, MAC, NONCE, PACKET, PUBLIC, Refused

SECRECY = [(), ("-f",), ("-g",)]


@pytest.fixture
def lane():
    with Lane() as lane:
        yield lane


def is_served(near: socket.socket) -> bool:
    """Whether an echo answers, or the pipe hangs up."""
    try:
        near.sendall(b"word")
        return near.recv(4, socket.MSG_WAITALL) == b"word"
    except ConnectionError:
        return False


@pytest.mark.parametrize("pair", PAIRS, ids=name_of)
def test_who_wants_forward_secrecy_and_who_offers_it(lane, pair):
    echo = Echo(lane.target(lane.unix_address()))
    decrypting = {
        options: lane.end(pair[1], "-d", echo.target.address, *options, source=lane.unix_address())
        for options in SECRECY
    }
    for ours, theirs in itertools.product(SECRECY, SECRECY):
        far = decrypting[theirs]
        encrypting = lane.end(pair[0], "-e", far.source, *ours, source=lane.unix_address())
        with connect(encrypting.source) as near:
            is_refused = {ours, theirs} == {("-f",), ("-g",)}
            assert is_served(near) != is_refused, (ours, theirs)
        encrypting.check_idle()
        far.check_idle()
        encrypting.kill()


@pytest.mark.parametrize("pair", PAIRS, ids=name_of)
def test_another_key_is_refused(lane, pair):
    echo = Echo(lane.target())
    pipe = lane.pipe(pair, echo.target)
    stranger = lane.end(pair[0], "-e", pipe.decrypting.source, key=lane.new_key("another"))
    with connect(pipe.encrypting.source) as near, connect(stranger.source) as refused:
        ask(near)
        assert not is_served(refused)
        ask(near)
    assert echo.heard == 2 * len(b"word")
    for end in (stranger, pipe.encrypting, pipe.decrypting):
        end.check_idle()


# --- a far side that holds the key, and does something wrong ------------------------------------


@pytest.fixture(scope="module", params=itertools.product(MAKERS, ["-e", "-d"]),
                ids=lambda value: f"{value[0].name}{value[1]}")  # fmt: skip
def siege(request):
    with Lane() as lane:
        yield Siege(lane, *request.param)


def test_the_oracle_is_understood(siege):
    with siege.beside():
        for x in (0, None):
            with siege.connection(**({} if x is None else {"x": x})) as (far, near):
                far.shake_hands()
                for size in (1, 2, 1000, 1024):
                    siege.ask(far, near, os.urandom(size))


def converse(siege: Siege, far, near, words: int = 3) -> None:
    """As a well-behaved far side would; it may be cut off anywhere."""
    far.shake_hands()
    for _ in range(words):
        siege.ask(far, near)


CUTS = [0, 1, 16, 31, NONCE, NONCE + 1, 100, 287, 288, 289, 319, HANDSHAKE, HANDSHAKE + 1,
        HANDSHAKE + PACKET - 1, HANDSHAKE + PACKET, HANDSHAKE + PACKET + 1]  # fmt: skip


@pytest.mark.parametrize("ending", ["half-closed", "closed", "reset"])
def test_cut_at_any_byte(siege, ending):
    with siege.beside():
        for limit in CUTS:
            with siege.connection(limit=limit) as (far, near):
                with pytest.raises(Cut):
                    converse(siege, far, near)
                if ending == "half-closed":
                    far.end.shutdown(socket.SHUT_WR)
                elif ending == "closed":
                    far.end.close()
                else:
                    reset(far.end)
                if near:
                    assert drained(near) in (b"", b"word")
                    near.close()  # at the end of a packet only its half was closed
                if ending == "half-closed":
                    drained(far.end)


def test_bytes_one_by_one(siege):
    with siege.beside(), siege.connection() as (far, near):
        far.end = SlowSocket(far.end)
        far.shake_hands()
        siege.ask(far, near)


class SlowSocket:
    """Sends a byte at a time."""

    def __init__(self, end: socket.socket):
        self._end = end

    def sendall(self, piece: bytes) -> None:
        for at in range(len(piece)):
            self._end.send(piece[at : at + 1])
            time.sleep(0.0002)

    def recv(self, *arguments) -> bytes:
        return self._end.recv(*arguments)


PLACES = {
    "nonce": [0, NONCE - 1],
    "y": [NONCE, NONCE + PUBLIC - 1],
    "h": [NONCE + PUBLIC, HANDSHAKE - 1],
    "text": [HANDSHAKE, HANDSHAKE + 3],
    "padding": [HANDSHAKE + 500],
    "length": [HANDSHAKE + PACKET - MAC - 4, HANDSHAKE + PACKET - MAC - 1],
    "mac": [HANDSHAKE + PACKET - MAC, HANDSHAKE + PACKET - 1],
}


@pytest.mark.parametrize("part", PLACES)
def test_a_flipped_bit(siege, part):
    with siege.beside():
        believed = siege.believed
        for place in PLACES[part]:
            with siege.connection(change=flipped(place)) as (far, near):
                with pytest.raises((ConnectionError, Refused)):
                    far.shake_hands()
                    far.say(b"word")
                    far.hear()
                siege.check_refused(far, near)
        assert siege.believed == believed


def test_a_flipped_bit_in_a_later_packet(siege):
    change = flipped(HANDSHAKE + 2 * PACKET + 7)
    with siege.beside(), siege.connection(change) as (far, near):
        far.shake_hands()
        siege.ask(far, near)
        siege.ask(far, near)
        far.say(b"word")
        siege.check_refused(far, near)


def test_garbage(siege):
    with siege.beside():
        believed = siege.believed
        for size in (1, 31, 32, 320, 100_000):
            with siege.connection() as (far, near):
                far.send(os.urandom(size))
                if size < HANDSHAKE:
                    far.end.shutdown(socket.SHUT_WR)
                siege.check_refused(far, near)
        assert siege.believed == believed


def test_a_whole_conversation_again(siege):
    with siege.beside():
        with siege.connection() as (far, near):
            converse(siege, far, near)
            heard = bytes(far.sent)
        believed = siege.believed
        with siege.connection() as (far, near):
            far.send(heard)
            siege.check_refused(far, near)
        assert siege.believed == believed


# --- a far side that never comes to an end ------------------------------------------------------


@pytest.mark.parametrize("role", ["-e", "-d"])
@pytest.mark.parametrize("maker", MAKERS, ids=name_of)
def test_who_never_finishes_costs_nothing_that_stays(lane, maker, role):
    siege = Siege(lane, maker, role, "-o", "1", "-n", "0", far=lane.unix_address())
    crowd = 500 if maker is PENSTOCK else 100
    resident = [stalled(siege, crowd) for _ in range(3)]
    assert resident[2] - resident[1] < 1 << 20, resident
    if maker is PENSTOCK:
        siege.end.process.send_signal(signal.SIGUSR1)
        counted = re.compile(rf"handshake in time; [^;]*: {3 * crowd}\b")
        wait_until(lambda: counted.search(siege.end.said()), "all of them to be counted")


def stalled(siege: Siege, crowd: int) -> int:
    """So many far sides say a part of a handshake and wait; returns what the end's memory is once
    it has hung up on all."""
    stack = [siege.sockets() for _ in range(crowd)]
    ends = [each.__enter__() for each in stack]
    for number, (end, _) in enumerate(ends):
        if number % 4:  # beyond the nonce it is garbage, but never the whole of it
            end.sendall(bytes(range(1, 1 + (0, 1, 31, 200)[number % 4])))
    for end, near in ends:
        drained(end)
        if near:
            assert drained(near) == b""
    for each in stack:
        each.__exit__(None, None, None)
    siege.end.check_idle()
    return siege.end.resident()


@pytest.mark.parametrize("maker", MAKERS, ids=name_of)
def test_who_never_finishes_keeps_nobody_out(lane, maker):
    """Not beyond the timeout: they are 100, the most that an end takes without -n."""
    siege = Siege(lane, maker, "-d", "-o", "2", far=lane.unix_address())
    crowd = [connect(siege.end.source) for _ in range(100)]
    with siege.beside():
        pass
    for each in crowd:
        drained(each)
        each.close()
    wait_until(lambda: siege.end.sockets() == siege.end.idle_sockets, "the end to be idle")
