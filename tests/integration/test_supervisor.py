"""`penstock run` keeps its two programs running. The programs here are shell scripts beside a
copy of the command, so that each scenario decides how they behave."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab.errors import wait_until
from lab.programs import program

CONFIG = """[site]
name = "alpha"
[ports.plain]
device = "af_packet:plain"
[ports.wire]
device = "af_packet:wire"
address = "192.0.2.1/24"
[[link]]
peer = "beta"
endpoint = "192.0.2.2"
key_file = "k"
"""
RUNS = 'trap "echo $NAME stops >> $LOG; exit 0" TERM; while :; do sleep 0.05; done'
DEAF = 'trap "" TERM; while :; do sleep 0.05; done'


class Stage:
    def __init__(self, directory: Path):
        self.directory = directory
        self.log = directory / "log"
        self.process: subprocess.Popen[str] | None = None
        shutil.copy(program("penstock"), directory / "penstock")
        (directory / "site.toml").write_text(CONFIG)
        self.script("penstockd", RUNS)
        self.script("penstock-dataplane", RUNS)

    def script(self, name: str, body: str) -> None:
        path = self.directory / name
        path.unlink(missing_ok=True)
        path.write_text(
            f'#!/bin/sh\nNAME={name}\nLOG={self.log}\n'
            f'echo "{name} $$ $*" >> $LOG\n{body}\n'
        )
        path.chmod(0o755)

    def start(self) -> None:
        self.process = subprocess.Popen(
            [str(self.directory / "penstock"), "run", str(self.directory / "site.toml")],
            stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # not as under nohup
        )  # fmt: skip

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def starts_of(self, name: str) -> list[int]:
        """The pids it had so far."""
        return [int(line.split()[1]) for line in self.lines() if line.startswith(name + " ")
                and line.split()[1].isdigit()]  # fmt: skip

    def wait_running(self) -> tuple[int, int]:
        def both() -> tuple[int, int] | None:
            control, data = self.starts_of("penstockd"), self.starts_of("penstock-dataplane")
            return (control[-1], data[-1]) if control and data else None

        return wait_until(both, "both programs")

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        assert self.process is not None
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=120)
        return self.process.returncode, said

    def wait_end(self) -> tuple[int, str]:
        assert self.process is not None
        _, said = self.process.communicate(timeout=120)
        return self.process.returncode, said


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    try:
        yield stage
    finally:
        if stage.process is not None and stage.process.poll() is None:
            stage.process.kill()
            stage.process.communicate()
        for pid in [*stage.starts_of("penstockd"), *stage.starts_of("penstock-dataplane")]:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_penstockd_before_the_data_plane(stage, number):
    stage.start()
    pids = stage.wait_running()
    for line in stage.lines():
        assert line.endswith(f"--config {stage.directory / 'site.toml'}")
    code, said = stage.end(number)
    assert (code, said) == (0, "")
    assert stage.lines()[-2:] == ["penstockd stops", "penstock-dataplane stops"]
    assert not any(is_alive(pid) for pid in pids)


def test_a_hangup_is_passed_on_to_penstockd_alone(stage):
    reads = 'trap "echo $NAME reads >> $LOG" HUP; ' + RUNS
    stage.script("penstockd", reads)
    stage.script("penstock-dataplane", reads)
    stage.start()
    pids = stage.wait_running()
    stage.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "penstockd reads" in stage.lines(), "penstockd to hear of it")
    assert stage.end() == (0, "")
    assert stage.lines()[-3:] == [
        "penstockd reads", "penstockd stops", "penstock-dataplane stops",
    ]  # fmt: skip
    assert not any(is_alive(pid) for pid in pids)


@pytest.mark.parametrize("name", ["penstockd", "penstock-dataplane"])
def test_starts_again_what_dies(stage, name):
    stage.start()
    stage.wait_running()
    for count in (1, 2):
        os.kill(stage.starts_of(name)[-1], signal.SIGKILL)
        wait_until(lambda c=count: len(stage.starts_of(name)) > c, f"{name} again")
    other = ({"penstockd", "penstock-dataplane"} - {name}).pop()
    assert len(stage.starts_of(other)) == 1
    code, said = stage.end()
    assert code == 0
    first, second = said.splitlines()
    assert f"penstock: {name} was killed by signal 9 (Killed); starting it again in 100 ms" in first
    assert "in 200 ms" in second


def test_a_program_that_always_fails_is_retried_ever_more_slowly(stage):
    stage.script("penstockd", "exit 3")
    stage.start()
    wait_until(lambda: len(stage.starts_of("penstockd")) >= 5, "five starts")
    code, said = stage.end()
    assert code == 0
    waits = [int(line.split(" in ")[1].split()[0]) for line in said.splitlines()]
    assert waits[:4] == [100, 200, 400, 800]
    assert "penstockd exited with code 3; starting it again" in said


@pytest.mark.parametrize("name", ["penstockd", "penstock-dataplane"])
def test_a_refusal_at_the_first_start_ends_everything(stage, name):
    stage.script(name, "sleep 0.2; exit 2")
    stage.start()
    code, said = stage.wait_end()
    assert (code, said) == (2, "")
    assert len(stage.starts_of(name)) == 1
    assert not any(is_alive(pid) for pid in stage.wait_running())


def test_a_refusal_later_is_retried(stage):
    stage.start()
    stage.wait_running()
    stage.script("penstockd", "exit 2")
    os.kill(stage.starts_of("penstockd")[-1], signal.SIGKILL)
    wait_until(lambda: len(stage.starts_of("penstockd")) >= 3, "more attempts")
    code, said = stage.end()
    assert code == 0
    assert "penstockd exited with code 2; starting it again" in said


def test_children_die_with_a_supervisor_that_is_killed(stage):
    stage.start()
    pids = stage.wait_running()
    assert stage.end(signal.SIGKILL)[0] == -signal.SIGKILL
    wait_until(lambda: not any(is_alive(pid) for pid in pids), "the end of both programs")


def test_a_child_that_does_not_stop_is_killed(stage):
    stage.script("penstock-dataplane", DEAF)
    stage.start()
    pids = stage.wait_running()
    code, said = stage.end()
    assert code == 0
    assert "penstock-dataplane does not stop; killing it" in said
    assert not any(is_alive(pid) for pid in pids)


def test_a_stop_while_a_child_waits_for_its_restart(stage):
    stage.script("penstockd", "exit 1")
    stage.start()
    wait_until(lambda: len(stage.starts_of("penstockd")) >= 4, "a long wait")
    assert stage.end()[0] == 0


def refusal(stage: Stage, spoil: Callable[[], object]) -> str:
    spoil()
    stage.start()
    code, said = stage.wait_end()
    assert code == 2
    assert said.count("\n") == 1
    return said


def test_a_missing_program_is_one_sentence(stage):
    said = refusal(stage, (stage.directory / "penstock-dataplane").unlink)
    assert said.startswith("penstock: cannot find penstock-dataplane in ")


def test_a_wrong_config_is_one_sentence(stage):
    said = refusal(stage, lambda: (stage.directory / "site.toml").write_text("[site]\n"))
    assert "site.toml:1: ports: this key is missing" in said


def test_an_idle_supervisor_uses_no_processor(stage):
    stage.start()
    stage.wait_running()

    def ticks() -> int:
        fields = Path(f"/proc/{stage.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    time.sleep(1)
    assert ticks() - before <= 5
    assert stage.end()[0] == 0
