"""How a pipe's daemon starts, waits, has enough and ends: ours as spiped's."""

import contextlib
import os
import selectors
import socket

import pytest
from lab.errors import wait_until
from lab.pipe_traffic import Echo, ask, carry, is_ended
from lab.pipes import (
    MAKERS,
    PAIRS,
    PATIENCE,
    PENSTOCK,
    Lane,
    Maker,
    Target,
    connect,
    is_listening,
    name_of,
    tcp_address,
)


@pytest.fixture
def lane():
    with Lane() as lane:
        yield lane


@pytest.mark.parametrize("pair", PAIRS, ids=name_of)
def test_terminated_it_ends_with_its_last_connection(lane, pair):
    pipe = lane.pipe(pair, lane.target())
    ends = (pipe.encrypting, pipe.decrypting)
    with pipe.open() as (near, far):
        carry(near, far, 100)
        for end in ends:
            end.terminate()
        carry(far, near, 1 << 20)  # whoever saw the signal by now has kept this connection
    for end in ends:
        assert end.process.wait(PATIENCE) == 0, end.said()


def test_terminated_it_listens_no_more(lane):
    """At once; spiped looks once a second whether it was."""
    pipe = lane.pipe((PENSTOCK, PENSTOCK), lane.target())
    with pipe.open() as (near, far):
        for end in (pipe.encrypting, pipe.decrypting):
            end.terminate()
            wait_until(lambda: not is_listening(end.source), "it to listen no more")
        carry(near, far, 100)


@pytest.mark.parametrize("maker", MAKERS, ids=name_of)
def test_terminated_while_idle_it_ends(lane, maker):
    end = lane.end(maker, "-e", tcp_address())
    end.terminate()
    assert end.process.wait(PATIENCE) == 0, end.said()


@pytest.mark.parametrize("maker", MAKERS, ids=name_of)
@pytest.mark.parametrize("role", ["-e", "-d"])
def test_no_more_connections_than_it_may_have(lane, maker, role):
    """The next one waits until another ends."""
    echo = Echo(lane.target(lane.unix_address()))
    limit = {role: ("-n", "2")}
    decrypting = lane.end(maker, "-d", echo.target.address, *limit.get("-d", ()))
    encrypting = lane.end(maker, "-e", decrypting.source, "-o", "60", *limit.get("-e", ()))
    with contextlib.ExitStack() as stack:
        ends = []
        for _ in range(2):  # served before the third comes: an end may connect in any order
            ends.append(stack.enter_context(connect(encrypting.source)))
            ask(ends[-1])
        third = stack.enter_context(connect(encrypting.source))
        third.sendall(b"late")
        for _ in range(20):
            ask(ends[0])
            ask(ends[1])
        assert echo.heard == 42 * len(b"word")
        ends[0].close()
        assert third.recv(4) == b"late"
        ask(ends[1])


class Scarce(Maker):
    """Ours, with files for itself and some ten connections."""

    files = 16 + 4 * len(os.sched_getaffinity(0)) + 2 * 10

    def daemon(self) -> list[str]:
        return ["prlimit", f"--nofile={self.files}:{self.files}", *super().daemon()]


@pytest.mark.parametrize("role", ["-e", "-d"])
def test_nobody_is_dropped_where_files_are_short(lane, role):
    """They wait to be accepted, and all are served in the end."""
    echo = Echo(lane.target(lane.unix_address()))
    scarce = Scarce("penstock")
    makers = {"-e": PENSTOCK, "-d": PENSTOCK, role: scarce}
    options = ("-n", "0", "-o", "60")
    decrypting = lane.end(makers["-d"], "-d", echo.target.address, *options)
    encrypting = lane.end(makers["-e"], "-e", decrypting.source, *options)
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as waiting:
        for _ in range(scarce.files):
            near = stack.enter_context(connect(encrypting.source))
            near.sendall(b"word")
            waiting.register(near, selectors.EVENT_READ)
        while waiting.get_map():
            for key, _ in waiting.select(PATIENCE) or pytest.fail("the rest is not served"):
                assert key.fileobj.recv(4, socket.MSG_WAITALL) == b"word"
                waiting.unregister(key.fileobj)
                key.fileobj.close()
    said = {"-e": encrypting, "-d": decrypting}[role].said()
    assert "open files" in said, "the control"
    assert "a connection ended" not in said


@pytest.mark.parametrize("pair", PAIRS, ids=name_of)
def test_a_target_that_goes_and_comes_back(lane, pair):
    target = lane.target()
    pipe = lane.pipe(pair, target)
    with pipe.open() as (near, far):
        carry(near, far, 100)
    target.close()
    for _ in range(3):
        with connect(pipe.encrypting.source) as near:
            assert is_ended(near)
    with Target(target.address) as again:
        with connect(pipe.encrypting.source) as near, again.accept() as far:
            carry(near, far, 100)
            carry(far, near, 100)
    pipe.check_idle()
    pipe.decrypting.kill()
    for _ in range(3):
        with connect(pipe.encrypting.source) as near:
            assert is_ended(near)
    pipe.encrypting.check_idle()
