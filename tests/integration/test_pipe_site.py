"""Each [[pipe]] of a site's config is a process that `penstock run` looks after."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from lab.errors import wait_until
from lab.programs import program
from pipe_bench import PENSTOCK, Bench, echo_at, is_alive, takes_connections, through


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
    changed = site.pipe("far", "decrypt", "far", "target", 'forward_secrecy = "require"\n')
    site.write(site.pipe("new", "encrypt", "new", "far"), changed)
    run.send_signal(signal.SIGHUP)
    wait_until(lambda: takes_connections(bench.folder / "new"), "the new pipe")
    wait_until(lambda: site.pid_of(run, "far") not in (0, far), "the changed one")
    wait_until(lambda: takes_connections(bench.folder / "far"), "the changed one")
    wait_until(lambda: not is_alive(near), "the one that was taken out to end")
    assert through(bench.folder / "new", b"x") == b"x"
    far, new = site.pid_of(run, "far"), site.pid_of(run, "new")
    site.write(changed)
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
