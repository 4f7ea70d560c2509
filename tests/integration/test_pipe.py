"""What a pipe carries, between spiped's ends and ours: every byte, in both directions, however it
comes and however it ends."""

import contextlib
import os
import socket
import time

import pytest
from lab.pipe_traffic import Echo, ask, beside, carry, is_ended, pattern, receive, reset, send
from lab.pipes import (
    PAIRS,
    PENSTOCK,
    SPIPED,
    Lane,
    Pipe,
    allow_many_files,
    connect,
    name_of,
    tcp_address,
)

MB = 1 << 20
DIRECTIONS = ["outward", "inward"]


@pytest.fixture(scope="module", params=PAIRS, ids=name_of)
def shared(request):
    with Lane() as lane:
        yield lane.pipe(request.param, lane.target())


@pytest.fixture
def pipe(shared: Pipe):
    """One for all scenarios; each leaves nothing in it."""
    yield shared
    shared.check_idle()


def of(direction: str, near: socket.socket, far: socket.socket):
    """Sender and receiver."""
    return (near, far) if direction == "outward" else (far, near)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, MB])
def test_every_byte_comes_and_then_the_end(pipe, size, direction):
    with pipe.open() as (near, far):
        sender, receiver = of(direction, near, far)
        carry(sender, receiver, size)
        carry(receiver, sender, 10)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_much_more_than_buffers_hold(pipe, direction, full):
    with pipe.open() as (near, far):
        carry(*of(direction, near, far), 4096 * MB if full else 100 * MB)


def test_both_ways_at_once(pipe):
    with pipe.open() as (near, far), beside(lambda: carry(near, far, 30 * MB)):
        carry(far, near, 30 * MB)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_dribbled_bytes(pipe, direction):
    with pipe.open() as (near, far):
        sender, receiver = of(direction, near, far)
        sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(300):
            send(sender, 1, at)
            if at % 3 == 0:  # some come alone, some together
                time.sleep(0.001)
        sender.shutdown(socket.SHUT_WR)
        receive(receiver, 300)
        assert is_ended(receiver)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_what_is_asked_is_answered_at_once(pipe, direction):
    """No byte waits for others to fill a packet."""
    with pipe.open() as (near, far):
        sender, receiver = of(direction, near, far)
        for at in range(0, 5000, 100):
            send(sender, 100, at)
            receive(receiver, 100, at)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_half_that_is_closed_leaves_the_other_open(pipe, direction):
    with pipe.open() as (near, far):
        first, second = of(direction, near, far)
        first.shutdown(socket.SHUT_WR)
        assert is_ended(second)
        with beside(lambda: send(second, 5 * MB)):
            receive(first, 5 * MB)
        second.shutdown(socket.SHUT_WR)
        assert is_ended(first)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("is_busy", [False, True], ids=["idle", "busy"])
def test_a_reset_ends_the_other_side(pipe, direction, is_busy):
    with pipe.open() as (near, far):
        first, second = of(direction, near, far)
        send(first, 10)
        receive(second, 10)
        if is_busy:  # what nobody reads yet is on its way to the one that goes
            send(second, 100_000)
        reset(first)
        assert is_ended(second)


def pushed_until_full(end: socket.socket, most: int) -> int:
    """How many bytes it takes until it has taken none for a while."""
    end.setblocking(False)
    at, since = 0, time.monotonic()
    while at < most and time.monotonic() - since < 0.5:
        try:
            at += end.send(pattern(at, most - at))
            since = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    end.settimeout(60)
    return at


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_who_does_not_read_stops_who_writes(pipe, direction):
    most = 50 * MB
    ends = (pipe.encrypting, pipe.decrypting)
    with pipe.open() as (near, far):
        sender, receiver = of(direction, near, far)
        before = [end.resident() for end in ends]
        pushed = pushed_until_full(sender, most)
        assert pushed < most, "it took everything, with nobody to read it"
        for end, was in zip(ends, before):
            assert end.resident() < was + 8 * MB

        def rest() -> None:
            send(sender, most - pushed, at=pushed)
            sender.shutdown(socket.SHUT_WR)

        with beside(rest):
            receive(receiver, most)
            assert is_ended(receiver)


def test_who_does_not_read_stops_nobody_else(pipe):
    with pipe.open() as (near, far), pipe.open() as (other_near, other_far):
        pushed = pushed_until_full(near, 50 * MB)
        carry(other_near, other_far, MB)
        carry(other_far, other_near, MB)
        with beside(lambda: near.shutdown(socket.SHUT_WR)):
            receive(far, pushed)


def test_a_reset_ends_no_other_connection(pipe):
    with pipe.open() as (near, far), pipe.open() as (other_near, other_far):
        send(near, MB // 8)
        send(other_near, 1000)
        reset(near)
        receive(other_far, 1000)
        carry(other_far, other_near, MB)
        carry(other_near, other_far, MB)


# --- other sockets, and many of them ----------------------------------------------------------


@pytest.mark.parametrize("pair", PAIRS, ids=name_of)
@pytest.mark.parametrize("kind", ["unix", "ipv6"])
def test_other_addresses(pair, kind):
    with Lane() as lane:
        address = {"unix": lane.unix_address, "ipv6": lambda: tcp_address("::1")}[kind]
        target = lane.target(address())
        decrypting = lane.end(pair[1], "-d", target.address, source=address())
        encrypting = lane.end(pair[0], "-e", decrypting.source, source=address())
        pipe = Pipe(encrypting, decrypting, target)
        with pipe.open() as (near, far):
            carry(near, far, 3 * MB)
            carry(far, near, 3 * MB)
        pipe.check_idle()


def ports_of_root(host: str) -> str:
    """An address with one that nobody uses."""
    for port in range(1023, 511, -1):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((host, port))
            return f"[{host}]:{port}"
    pytest.fail("every port is in use")


SOURCES = {
    "any port": lambda host: host,
    "a port": tcp_address,
    "a port of root's": pytest.param(
        ports_of_root, marks=pytest.mark.skipif(os.geteuid() != 0, reason="wants root")
    ),
}


@pytest.mark.parametrize("role", ["-e", "-d"])
@pytest.mark.parametrize("source_at", SOURCES.values(), ids=SOURCES)
def test_it_connects_from_where_it_is_told(role, source_at):
    """-b, which spiped has not had before 1.6.3."""
    source = source_at("127.0.0.2")
    with Lane() as lane:
        target = lane.target()
        end = lane.end(PENSTOCK, role, target.address, "-b", source)
        with connect(end.source), target.accept() as far:
            host, port = far.getpeername()
    assert source in (host, f"[{host}]:{port}")


@pytest.mark.parametrize("pair", PAIRS, ids=name_of)
def test_a_thousand_connections_at_once(pair):
    allow_many_files()
    with Lane() as lane:
        echo = Echo(lane.target(lane.unix_address()))
        # spiped computes for some milliseconds for each; our own also with forward secrecy.
        options = ["-n", "0", "-o", "60"] + (["-f"] if SPIPED in pair else [])
        pipe = lane.pipe(pair, echo.target, *options)
        ends = []
        for number in range(1000):
            ends.append(connect(pipe.encrypting.source))
            ends[-1].sendall(number.to_bytes(4, "big") * 500)
            if number >= 8:  # so many handshakes at once: spiped's own queue takes ten
                receive_number(ends[number - 8], number - 8)
        for number in range(992, 1000):
            receive_number(ends[number], number)
        for end in ends:
            ask(end)
        for end in ends:
            end.close()
        assert echo.heard == 1000 * (2000 + len(b"word"))
        pipe.check_idle()


def receive_number(end: socket.socket, number: int) -> None:
    assert end.recv(2000, socket.MSG_WAITALL) == number.to_bytes(4, "big") * 500
