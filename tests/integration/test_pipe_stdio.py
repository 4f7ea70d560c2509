"""A pipe between standard input and output and a daemon: spipe and ours, as ssh would run them."""

import itertools
import os
import pty
import signal
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab.errors import wait_until
from lab.pipe_traffic import beside, carry, is_ended, pattern, receive, reset, send
from lab.pipes import MAKERS, PATIENCE, PENSTOCK, SPIPED, Lane, name_of, tcp_address

MB = 1 << 20
COMBINED = [pair for pair in itertools.product(MAKERS, MAKERS) if pair != (SPIPED, SPIPED)]


@pytest.fixture(scope="module", params=[*COMBINED, (SPIPED, SPIPED)], ids=name_of)
def stage(request):
    """(who is at standard input, the lane, the daemon, its target)"""
    with Lane() as lane:
        target = lane.target()
        yield request.param[0], lane, lane.end(request.param[1], "-d", target.address), target


def unignore() -> None:
    """As a shell starts what stands in the foreground, however this one was started itself."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def started(maker, lane, address: str, *options: str, **streams):
    command = [*maker.stdio(), "-t", address, "-k", str(lane.key), *options]
    streams = streams or {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, preexec_fn=unignore, **streams
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def running(stage):
    maker, lane, daemon, target = stage
    with started(maker, lane, daemon.source) as process, target.accept() as far:
        yield process, far
    daemon.check_idle()


def test_both_ways_and_then_the_end(stage):
    size = 20 * MB
    with running(stage) as (process, far):

        def type_it() -> None:
            for at in range(0, size, MB // 2):
                process.stdin.write(pattern(at, MB // 2))
            process.stdin.close()

        def answer() -> None:
            send(far, size)

        with beside(type_it), beside(answer), beside(lambda: receive(far, size)):
            for at in range(0, size, MB // 2):
                assert process.stdout.read(MB // 2) == pattern(at, MB // 2)
        assert is_ended(far)
        send(far, 100)  # after the end of standard input what comes back still counts
        far.close()
        assert process.stdout.read() == pattern(0, 100)
        assert process.wait(PATIENCE) == 0, process.stderr.read()


def test_a_word_is_not_kept_back(stage):
    with running(stage) as (process, far):
        for word in (b"a", b"word", b"b" * 1024, b"c" * 1025):
            process.stdin.write(word)
            process.stdin.flush()
            assert far.recv(len(word), socket.MSG_WAITALL) == word
            far.sendall(word)
            assert process.stdout.read(len(word)) == word


def test_the_far_half_ends_first(stage):
    with running(stage) as (process, far):
        far.sendall(b"word")
        far.shutdown(socket.SHUT_WR)
        assert process.stdout.read(4) == b"word"
        process.stdin.write(b"late")
        process.stdin.close()
        assert far.recv(4, socket.MSG_WAITALL) == b"late"
        assert is_ended(far)
        assert process.wait(PATIENCE) == 0, process.stderr.read()


def test_a_reset_ends_it(stage):
    with running(stage) as (process, far):
        process.stdin.write(b"word")
        process.stdin.flush()
        assert far.recv(4, socket.MSG_WAITALL) == b"word"
        reset(far)
        process.stdin.close()  # spipe waits for that
        process.wait(PATIENCE)
        assert process.stdout.read() == b""


def test_on_a_socket_as_ssh_has_it(stage):
    """ProxyCommand: one socket is standard input and output, which ssh half-closes."""
    maker, lane, daemon, target = stage
    near, theirs = socket.socketpair()
    with near, started(maker, lane, daemon.source, stdin=theirs, stdout=theirs) as process:
        near.settimeout(PATIENCE)
        theirs.close()
        with target.accept() as far:
            carry(far, near, MB)
            carry(near, far, MB)
        assert process.wait(PATIENCE) == 0, process.stderr.read()


@contextmanager
def terminal():
    """(its keyboard and screen, what a shell and who it starts share)"""
    far, shared = pty.openpty()
    try:
        yield far, shared
    finally:
        os.close(far)
        os.close(shared)


@pytest.mark.parametrize("number", [None, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_shared_terminal_is_left_as_it_was(number):
    """However it ends, by itself or by a signal: whoever reads from it next would fail."""
    with Lane() as lane, terminal() as (keyboard, shared):
        target = lane.target()
        daemon = lane.end(PENSTOCK, "-d", target.address)
        with (
            started(PENSTOCK, lane, daemon.source, stdin=shared, stdout=shared) as process,
            target.accept() as far,
        ):
            os.write(keyboard, b"word\n")
            assert far.recv(5, socket.MSG_WAITALL) == b"word\n"
            assert not os.get_blocking(shared), "the control"
            if number:
                process.send_signal(number)
            else:
                os.write(keyboard, b"\x04")  # the end of what is typed
                assert is_ended(far)
                far.close()
            assert process.wait(PATIENCE) == -(number or 0), process.stderr.read()
            assert os.get_blocking(shared)


def wait_state(process, state: str) -> None:
    path = f"/proc/{process.pid}/stat"
    wait_until(lambda: Path(path).read_text().rpartition(")")[2].split()[0] == state, state)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_a_shared_terminal_is_the_shells_while_it_is_stopped(number):
    """And its own again afterwards, whatever the shell did to it. A group whose parent stands in
    another is stopped, as those of shells are."""
    with Lane() as lane, terminal() as (keyboard, shared):
        target = lane.target()
        daemon = lane.end(PENSTOCK, "-d", target.address)
        both = {"stdin": shared, "stdout": shared}
        with (
            started(PENSTOCK, lane, daemon.source, process_group=0, **both) as process,
            target.accept() as far,
        ):
            for word in (b"once\n", b"more\n"):
                os.write(keyboard, word)
                assert far.recv(5, socket.MSG_WAITALL) == word
                assert not os.get_blocking(shared), "the control"
                process.send_signal(number)
                wait_state(process, "T")
                assert os.get_blocking(shared) == (number == signal.SIGTSTP)
                os.set_blocking(shared, True)
                process.send_signal(signal.SIGCONT)
                wait_until(lambda: not os.get_blocking(shared), "its terminal")
            os.write(keyboard, b"last\n")
            assert far.recv(5, socket.MSG_WAITALL) == b"last\n"
            process.terminate()
            assert process.wait(PATIENCE) == -signal.SIGTERM
            assert os.get_blocking(shared)


def test_from_another_address():
    with Lane() as lane:
        target = lane.target()
        with started(PENSTOCK, lane, target.address, "-b", "127.0.0.2"), target.accept() as far:
            assert far.getpeername()[0] == "127.0.0.2"


def test_another_key_fails(stage):
    maker, lane, daemon, _ = stage
    command = [*maker.stdio(), "-t", daemon.source, "-k", str(lane.new_key("another"))]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr, "it says why"


@pytest.mark.parametrize("maker", MAKERS, ids=name_of)
def test_nobody_listens(maker):
    with Lane() as lane:
        for address in (lane.unix_address(), tcp_address()):
            command = [*maker.stdio(), "-t", address, "-k", str(lane.key)]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=PATIENCE)  # fmt: skip
            assert (done.returncode, done.stdout) == (1, b"")
            assert done.stderr
