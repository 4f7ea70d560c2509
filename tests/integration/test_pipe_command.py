"""`penstock pipe` as an operator has it: side by side with the real spiped and spipe where they
say the same, and as a [[pipe]] of a site."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from lab.errors import wait_until
from lab.programs import program

CAP_IPC_LOCK = 1 << 14
PENSTOCK = os.path.abspath(program("penstock"))
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


class Bench:
    """A folder with a key and names for sockets; all that was started ends with it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.key = folder / "key"
        self.key.write_bytes(os.urandom(32))
        self.key.chmod(0o600)
        self.started: list[subprocess.Popen] = []
        self.daemons: list[Path] = []

    def words(self, line: str) -> list[str]:
        places = {"S": self.folder / "source", "T": self.folder / "target", "K": self.key}
        return [str(places.get(word, word)) for word in line.split()]

    def run(self, command: list[str], line: str, **more) -> subprocess.CompletedProcess:
        """To its end; a daemon keeps what it writes to."""
        with (self.folder / "said").open("w") as said:
            done = subprocess.run(
                [*command, *self.words(line)], cwd=self.folder, stdout=said, stderr=said,
                timeout=60, **{"stdin": subprocess.DEVNULL, **more},
            )  # fmt: skip
        return done

    def said(self) -> str:
        return (self.folder / "said").read_text()

    def start(self, command: list[str], line: str, **more) -> subprocess.Popen:
        with (self.folder / "said").open("w") as said:
            process = subprocess.Popen(
                [*command, *self.words(line)], cwd=self.folder, stdout=said, stderr=said, **more
            )
        self.started.append(process)
        return process

    def listen(self, command: list[str], line: str, name: str = "source", **more):
        """Started, and taking connections."""
        process = self.start(command, line, **more)
        wait_until(lambda: takes_connections(self.folder / name), f"{line} to listen")
        return process

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait(60)
        for file in self.folder.glob("*pid"):
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.kill(int(file.read_text()), signal.SIGKILL)


def takes_connections(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
        probe.connect(str(path))
        return True
    return False


def echo_at(path: Path) -> socket.socket:
    """Sends back what comes, on every connection, until the far side has ended."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)

    def echo(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1 << 16):
                connection.sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener


def through(path: Path, sent: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as near:
        near.settimeout(60)
        near.connect(str(path))
        near.sendall(sent)
        near.shutdown(socket.SHUT_WR)
        got = b""
        while data := near.recv(1 << 16):
            got += data
    return got


def is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    try:
        yield bench
    finally:
        bench.end()


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
    assert "Address already in use" in bench.said()


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


def test_a_stop_waits_for_the_last_connection(bench):
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
            near.sendall(b"b")
            assert near.recv(9) == b"b"
            assert pipe.poll() is None
        assert pipe.wait(60) == 0


def statuses(pid: int) -> list[dict[str, str]]:
    texts = [(task / "status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    return [dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
            for text in texts]  # fmt: skip


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


# --- [[pipe]] -------------------------------------------------------------------------------------


class Site:
    """Pipes and nothing else: each `near` leads over its `far` to the target."""

    def __init__(self, bench: Bench):
        self.bench = bench
        self.file = bench.folder / "site.toml"

    def write(self, *pipes: str) -> None:
        self.file.write_text('[site]\nname = "alpha"\n' + "".join(pipes))

    def pipe(self, name: str, mode: str, source: str, target: str, more: str = "") -> str:
        folder = self.bench.folder
        return (
            f'[[pipe]]\nname = "{name}"\nmode = "{mode}"\nsource = "{folder}/{source}"\n'
            f'target = "{folder}/{target}"\nkey_file = "key"\n{more}'
        )

    def start(self) -> subprocess.Popen:
        return self.bench.start(
            [PENSTOCK, "run", str(self.file)], "",
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # not as under nohup
        )  # fmt: skip

    def pid_of(self, run: subprocess.Popen, name: str) -> int:
        """0 while it does not run."""
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        for pid in children:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"--site-pipe" in words and words[words.index(b"--site-pipe") + 1] == name.encode():
                return int(pid)
        return 0


@pytest.fixture
def site(bench):
    site = Site(bench)
    site.write(site.pipe("near", "encrypt", "near", "far"),
               site.pipe("far", "decrypt", "far", "target"))  # fmt: skip
    with echo_at(bench.folder / "target"):
        yield site


def test_a_site_of_pipes_runs_and_starts_again_what_dies(bench, site):
    assert bench.run([PENSTOCK, "check", str(site.file)], "").returncode == 0
    assert "pipe      far: " in bench.said() and "is good" in bench.said()
    run = site.start()
    for count in range(2):
        wait_until(lambda: takes_connections(bench.folder / "far"), "the far pipe")
        wait_until(lambda: takes_connections(bench.folder / "near"), "the near pipe")
        assert through(bench.folder / "near", b"x" * 5000) == b"x" * 5000
        if count == 0:
            pid = site.pid_of(run, "far")
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: site.pid_of(run, "far") not in (0, pid), "it to be there again")
    pids = [site.pid_of(run, name) for name in ("near", "far")]
    with socket.socket(socket.AF_UNIX) as open_connection:
        open_connection.connect(str(bench.folder / "near"))
        run.terminate()
        assert run.wait(60) == 0, bench.said()
    assert not any(is_alive(pid) for pid in pids)


def test_a_hangup_starts_changed_pipes_again_and_no_others(bench, site):
    run = site.start()
    wait_until(lambda: takes_connections(bench.folder / "near"), "the near pipe")
    wait_until(lambda: takes_connections(bench.folder / "far"), "the far pipe")
    near, far = site.pid_of(run, "near"), site.pid_of(run, "far")
    site.write("[[pipe]]\n")
    run.send_signal(signal.SIGHUP)
    wait_until(lambda: "pipes stay as they are" in bench.said(), "the refusal")
    site.write(site.pipe("new", "encrypt", "new", "far"),
               site.pipe("far", "decrypt", "far", "target", 'forward_secrecy = "require"\n'))  # fmt: skip
    run.send_signal(signal.SIGHUP)
    wait_until(lambda: takes_connections(bench.folder / "new"), "the new pipe")
    wait_until(lambda: site.pid_of(run, "far") not in (0, far), "the changed one")
    wait_until(lambda: takes_connections(bench.folder / "far"), "the changed one")
    wait_until(lambda: not is_alive(near), "the one that was taken out to end")
    assert through(bench.folder / "new", b"x") == b"x"
    far, new = site.pid_of(run, "far"), site.pid_of(run, "new")
    site.write(site.pipe("far", "decrypt", "far", "target", 'forward_secrecy = "require"\n'))
    run.send_signal(signal.SIGHUP)
    wait_until(lambda: not is_alive(new), "the next one to end")
    assert site.pid_of(run, "far") == far
    run.terminate()
    assert run.wait(60) == 0, bench.said()


def test_a_pipe_that_refuses_at_the_first_start_ends_the_site(bench, site):
    (bench.folder / "near").mkdir()
    run = site.start()
    assert run.wait(60) == 2
    assert f"cannot take connections at {bench.folder}/near" in bench.said()


@pytest.mark.parametrize("name", ["penstockd", "penstock-dataplane"])
def test_programs_for_links_refuse_a_site_of_pipes(bench, site, name):
    command = [os.path.abspath(program(name)), "--config", str(site.file)]
    assert bench.run(command, "").returncode == 2
    assert "pipes and no [[link]]" in bench.said()
