"""`penstock pipe` as an operator has it, side by side with the real spiped and spipe."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from lab.errors import wait_until
from pipe_bench import PENSTOCK, echo_at, is_alive, takes_connections, through

CAP_IPC_LOCK = 1 << 14
SPIPED = ["spiped"]
PIPE = [PENSTOCK, "pipe"]
SPIPE = ["spipe"]
STDIO = [PENSTOCK, "pipe", "--stdio"]

# A word S is a source socket, T a target's, K a key file.
LEAST = "-e -s S -t T -k K "
REFUSED = [
    "", "-e", "-e -d", "-e -s S", "-s S -t T -k K", "-e -t T -k K", "-e -s S -k K", "-e -s S -t T",
    *(LEAST + more for more in (
        "-e", "-d", "-F -F", "-f -g", "-x", "--syslo", "--nothing", "more", "-n", "-n x", "-n 1x",
        "-n 99999999999999999999", "-n 1 -n 2", "-o x", "-o -1", "-o nan", "-r x", "-r -3",
        "-r 5 -R", "-R -R", "-F -p a -p b", "-Fu nosuchuser", "-Fu :nosuchgroup", "-Fu root:",
        "-p /nowhere/pid",
    )),
    "-eF -s nope -t T -k K", "-eF -s [192.0.2.1]:1 -t T -k K", "-eF -s [127.0.0.1]:0 -t T -k K",
    "-eF -s /nowhere/s -t T -k K", "-eF -s S -t [1.2.3]:4 -k K", "-eF -s S -t [::1:4 -k K",
    "-eF -s S -t nosuch.invalid:1 -k K", "-eF -s S -t T -k /nowhere", "-eF -s S -t T -k .",
]  # fmt: skip
TAKEN = [
    "", "-fj", "-g", "-n 0", "-n 0x10", "-n 501", "-n -1", "-o 0", "-o .5", "-o 1e3", "-o inf",
    "-r 0 -R", "-r 60 -R", "-r 1", "-D", "--syslog", "-u 0:0", "-u nobody:nogroup", "--",
]  # fmt: skip
STDIO_REFUSED = [
    "", "-t T", "-k K", "-t T -k K -n 3", "-t T -k K -f -g", "-t T -k K -o x", "-t nope -k K",
    "-t nosuch.invalid:1 -k K", "-t T -k /nowhere", "-t T -k K", "-t [127.0.0.1]:9 -k K", "-t",
]  # fmt: skip


# --- exit codes, beside the real ones -------------------------------------------------------------


@pytest.mark.parametrize("line", REFUSED)
def test_what_spiped_refuses_is_refused_with_its_code(bench, line):
    theirs = bench.run(SPIPED, line).returncode
    (bench.folder / "source").unlink(missing_ok=True)
    assert bench.run(PIPE, line).returncode == theirs == 1
    assert bench.said() != ""


@pytest.mark.parametrize("line", TAKEN)
def test_what_spiped_takes_runs_until_it_is_told_to_stop(bench, line):
    bench.listen(SPIPED, f"-F {LEAST} {line}").kill()
    (bench.folder / "source").unlink()
    process = bench.listen(PIPE, f"-F {LEAST} {line}")
    process.terminate()
    assert process.wait(60) == 0, bench.said()
    assert not list(bench.folder.glob("*pid"))
    assert (bench.folder / "source").exists()  # as spiped leaves it


@pytest.mark.parametrize("line", STDIO_REFUSED)
def test_what_spipe_refuses_is_refused_with_its_code(bench, line):
    assert bench.run(SPIPE, line).returncode == bench.run(STDIO, line).returncode == 1


def test_versions_and_help_are_no_mistakes(bench):
    assert bench.run(SPIPED, "-v").returncode == bench.run(PIPE, "-v").returncode == 0
    assert bench.run(PIPE, "--help").returncode == 0
    assert "usage: penstock pipe" in bench.said()


def test_a_socket_file_that_was_left_behind_is_in_the_way(bench):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(bench.folder / "source"))
    assert bench.run(SPIPED, "-F " + LEAST).returncode == 1
    assert bench.run(PIPE, "-F " + LEAST).returncode == 1
    assert "Address already in use; remove the file" in bench.said()


# --- as a service ---------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["", "-p my.pid", "-D"])
def test_a_daemon_is_there_when_its_parent_has_ended(bench, line):
    name = "my.pid" if "-p" in line else "source.pid"
    for command in (SPIPED, PIPE):
        assert bench.run(command, LEAST + line).returncode == 0
        text = (bench.folder / name).read_text()
        assert is_alive(int(text)) and text == str(int(text))
        assert os.getsid(int(text)) == int(text)
        wait_until(lambda: takes_connections(bench.folder / "source"), "the daemon to listen")
        os.kill(int(text), signal.SIGTERM)
        wait_until(lambda pid=int(text): not is_alive(pid), "the daemon to end")
        (bench.folder / "source").unlink()
        (bench.folder / name).unlink()


def test_with_D_a_daemon_waits_for_names(bench):
    for command in (SPIPED, PIPE):
        assert bench.run(command, "-eD -s S -t nosuch.invalid:1 -k K").returncode == 0
        pid = int((bench.folder / "source.pid").read_text())
        wait_until(lambda: "nosuch.invalid" in bench.said(), "the name to be looked up")
        assert is_alive(pid) and not (bench.folder / "source").exists()
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda pid=pid: not is_alive(pid), "the daemon to end")
        (bench.folder / "source.pid").unlink()


@contextlib.contextmanager
def system_log(path: Path):
    """What the system's log would be given."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.settimeout(60)
        log.bind(str(path))
        yield log
    path.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="another /dev/log wants root")
def test_a_daemon_logs_to_the_system(bench):
    """Also to one that was started again meanwhile."""
    log = bench.folder / "log"
    script = f'mount -t tmpfs none /dev && ln -s {log} /dev/log && exec "$@"'
    elsewhere = ["unshare", "--mount", "sh", "-c", script, "-"]
    with system_log(log):
        assert bench.run([*elsewhere, *PIPE], LEAST + "--syslog").returncode == 0
    pid = int((bench.folder / "source.pid").read_text())
    said = bench.said()
    for _ in range(2):
        with system_log(log) as given:
            os.kill(pid, signal.SIGUSR1)
            line = given.recv(4096)
        assert line.startswith(b"<30>"), "a daemon's notice"  # LOG_DAEMON | LOG_INFO
        assert f" penstock-pipe[{pid}]: ".encode() in line
        assert b"0 connections taken" in line
    assert bench.said() == said, "nowhere else"


@contextlib.contextmanager
def told_to_stop(bench):
    """A pipe that takes no connections any more, and one that still lives."""
    with echo_at(bench.folder / "target"):
        bench.listen(PIPE, "-dF -s S -t T -k K")
        pipe = bench.listen(PIPE, f"-eF -s {bench.folder}/near -t S -k K", "near")
        with socket.socket(socket.AF_UNIX) as near:
            near.settimeout(60)
            near.connect(str(bench.folder / "near"))
            near.sendall(b"a")
            assert near.recv(9) == b"a"
            pipe.terminate()
            wait_until(lambda: not takes_connections(bench.folder / "near"), "the socket to close")
            yield pipe, near


def test_a_stop_waits_for_the_last_connection(bench):
    with told_to_stop(bench) as (pipe, near):
        near.sendall(b"b")
        assert near.recv(9) == b"b"
        assert pipe.poll() is None
        near.close()
        assert pipe.wait(60) == 0


def test_a_second_stop_is_the_end(bench):
    """As of spiped, whose socket stays where it was, so that nobody can wait for its first one."""
    with told_to_stop(bench) as (pipe, _):
        time.sleep(1.2)  # one that comes at once with the first is the same
        pipe.terminate()
        assert pipe.wait(60) == -signal.SIGTERM


def statuses(pid: int) -> list[dict[str, str]]:
    texts = [(task / "status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    return [dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
            for text in texts]  # fmt: skip


def test_threads_that_cannot_be_started_are_a_refusal(bench):
    done = bench.run(
        PIPE, "-dF -s S -t T -k K -u nobody:nogroup",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1, 1)),
    )  # fmt: skip
    assert done.returncode == 1
    assert "cannot start a thread" in bench.said() and "ulimit -u" in bench.said()


@pytest.mark.parametrize("target", ["[127.0.0.1]:9", "localhost:9"])
def test_every_thread_is_confined_and_somebody_else(bench, target):
    pipe = bench.listen(PIPE, f"-eF -s S -t {target} -k K -u nobody:nogroup")
    wait_until(lambda: len(statuses(pipe.pid)) >= 3, "its threads")
    for status in statuses(pipe.pid):
        assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"65534"}
        assert status["Groups"].split() == []
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert int(status["CapPrm"], 16) & ~CAP_IPC_LOCK == 0
        assert int(status["CapBnd"], 16) & ~CAP_IPC_LOCK == 0


# --- keys and sockets -----------------------------------------------------------------------------


def test_a_key_comes_on_standard_input_and_bytes_go_both_ways(bench):
    """All over Unix sockets, and with the real spiped at the other end."""
    sent = os.urandom(300_000)
    with echo_at(bench.folder / "target"), bench.key.open() as key:
        bench.listen(PIPE, "-dF -s S -t T -k -", stdin=key)
        bench.listen(SPIPED, f"-eF -s {bench.folder}/near -t S -k K", "near")
        assert through(bench.folder / "near", sent) == sent
        for command in (SPIPE, STDIO):
            done = subprocess.run(
                [*command, *bench.words("-t S -k K")], input=sent, capture_output=True, timeout=60
            )
            assert (done.returncode, done.stdout) == (0, sent)


@pytest.mark.parametrize(
    ("mode", "size", "warning"),
    [(0o600, 32, None), (0o644, 32, "others may read"), (0o600, 5, "it has 5 bytes")],
)
def test_any_key_file_is_taken_and_a_weak_one_warned_of(bench, mode, size, warning):
    bench.key.write_bytes(os.urandom(size))
    bench.key.chmod(mode)
    bench.listen(PIPE, "-F " + LEAST)
    assert ("is accepted" in bench.said()) == (warning is not None)
    assert (warning or "") in bench.said()


def test_links_by_their_names_are_spiped_and_spipe(bench):
    for name in ("spiped", "spipe"):
        (bench.folder / name).symlink_to(PENSTOCK)
    assert bench.run([str(bench.folder / "spiped")], "-v").returncode == 0
    assert bench.said().startswith("spiped (penstock ")
    assert bench.run([str(bench.folder / "spipe")], "-t T -k K -n 3").returncode == 1
    assert "usage: spipe -t" in bench.said()
    with echo_at(bench.folder / "target"):
        bench.listen([str(bench.folder / "spiped")], "-dF -s S -t T -k K")
        done = subprocess.run(
            [str(bench.folder / "spipe"), *bench.words("-t S -k K")],
            input=b"x", capture_output=True, timeout=60,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"x")
