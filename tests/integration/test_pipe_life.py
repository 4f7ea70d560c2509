"""How a pipe's daemon starts, waits, has enough and ends: ours as spiped's."""

import contextlib
import os
import signal
import subprocess

import pytest
from lab.errors import wait_until
from lab.pipe_traffic import Echo, ask, carry, is_ended
from lab.pipes import (
    MAKERS,
    PAIRS,
    PATIENCE,
    PENSTOCK,
    Lane,
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


# --- the command line ---------------------------------------------------------------------------

GOOD = ["-e", "-s", "{source}", "-t", "{target}", "-k", "{key}"]
WRONG = {
    "nothing": [],
    "both roles": ["-d", *GOOD],
    "a role twice": ["-e", *GOOD],
    "no role": GOOD[1:],
    "no key": GOOD[:-2],
    "no target": [*GOOD[:3], *GOOD[5:]],
    "no source": [*GOOD[:1], *GOOD[3:]],
    "a key that is not there": [*GOOD[:-1], "/nonexistent/key"],
    "f and g": ["-f", "-g", *GOOD],
    "r and R": ["-R", "-r", "5", *GOOD],
    "a word too many": [*GOOD, "more"],
    "an option that is none": ["-z", *GOOD],
    "an address without a port": [*GOOD[:4], "nonsense", *GOOD[5:]],
    "a port that is none": [*GOOD[:4], "[127.0.0.1]:99999", *GOOD[5:]],
    "a directory that is not there": [*GOOD[:2], "/nonexistent/socket", *GOOD[3:]],
    "a number that is none": ["-n", "x", *GOOD],
    "a user that is not there": ["-u", "nobody-has-this-name", *GOOD],
}


@pytest.mark.parametrize("maker", MAKERS, ids=name_of)
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_command_line_is_refused(lane, maker, wrong):
    places = {"source": lane.unix_address(), "target": lane.unix_address(), "key": lane.key}
    arguments = [argument.format(**places) for argument in WRONG[wrong]]
    command = [*maker.daemon(), *arguments, *(["-F"] if arguments else [])]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 1, done
    assert done.stderr


@pytest.mark.parametrize("maker", MAKERS, ids=name_of)
def test_in_the_background(lane, maker):
    """It listens when the command returns, and its pid file says who it is."""
    echo = Echo(lane.target(lane.unix_address()))
    source, pid_file = lane.unix_address(), lane.directory / "pid"
    command = [*maker.daemon(), "-d", "-s", source, "-t", echo.target.address, "-k", str(lane.key)]
    subprocess.run(
        [*command, "-p", str(pid_file)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, timeout=PATIENCE, check=True,
    )  # fmt: skip
    pid = int(pid_file.read_text())
    try:
        assert is_listening(source)
        encrypting = lane.end(maker, "-e", source)
        with connect(encrypting.source) as near:
            ask(near)
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_running(pid), "the daemon to end")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize("maker", MAKERS, ids=name_of)
def test_a_key_from_standard_input(lane, maker):
    echo = Echo(lane.target(lane.unix_address()))
    source = lane.unix_address()
    command = [*maker.daemon(), "-d", "-s", source, "-t", echo.target.address, "-k", "-", "-F"]
    with lane.key.open("rb") as key:
        process = subprocess.Popen(command, stdin=key)
    try:
        wait_until(lambda: is_listening(source), "the end to listen")
        encrypting = lane.end(maker, "-e", source)
        with connect(encrypting.source) as near:
            ask(near)
    finally:
        process.kill()
        process.wait()
