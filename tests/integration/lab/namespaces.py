"""One network namespace: made, entered, and removed with everything that runs in it."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import LabError, wait_until

CLONE_NEWNET = 0x40000000
NAMES = Path("/run/netns")
_libc = ctypes.CDLL(None, use_errno=True)


def name_prefix() -> str:
    """Names begin with this and our pid, so that a later run knows whose are left over."""
    return os.environ.get("PENSTOCK_LAB_PREFIX", "penstock")


class Namespace:
    def __init__(self, name: str):
        self.name = name

    def create(self) -> None:
        _ip("netns", "add", self.name)
        self.run("ip", "link", "set", "lo", "up")

    def exists(self) -> bool:
        return (NAMES / self.name).exists()

    def delete(self) -> None:
        """Ends whatever still runs inside, then removes the namespace and its interfaces."""
        if not self.exists():
            return
        for pid in self.pids():
            with_no_complaint(os.kill, pid, signal.SIGKILL)
        wait_until(lambda: not self.pids(), f"the last process in {self.name} to end")
        _ip("netns", "delete", self.name)

    def pids(self) -> list[int]:
        """Of programs started inside; never our own, though a thread of ours may stand there."""
        listed = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True)
        return [int(pid) for pid in listed.stdout.split() if int(pid) != os.getpid()]

    def command(self, *argv: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *argv]

    def run(self, *argv: str, timeout: float = 120) -> str:
        """The standard output of a command that must succeed."""
        done = self.attempt(*argv, timeout=timeout)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            raise LabError(f"{self.name}: {' '.join(argv)}: exit {done.returncode}: {said}")
        return done.stdout

    def attempt(self, *argv: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*argv), capture_output=True, text=True, timeout=timeout, check=False
        )

    def spawn(self, *argv: str, outlives_us: bool = False, **popen) -> subprocess.Popen:
        """Starts a program inside. It ends with us, however we end, unless it `outlives_us`."""
        guard = [] if outlives_us else ["setpriv", "--pdeathsig", "TERM"]
        return subprocess.Popen(
            self.command(*guard, *argv), start_new_session=True, **popen
        )

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The calling thread stands inside. A socket opened meanwhile belongs there for good."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(NAMES / self.name, os.O_RDONLY)
        try:
            _set_namespace(there)
            try:
                yield
            finally:
                _set_namespace(home)
        finally:
            os.close(there)
            os.close(home)

    def sysctl(self, key: str, value: object) -> None:
        with self.entered():
            Path("/proc/sys", *key.split(".")).write_text(f"{value}\n")

    def __str__(self) -> str:
        return self.name


def with_no_complaint(action, *arguments) -> None:
    """For clean-up: what is gone already is as good as removed."""
    try:
        action(*arguments)
    except (ProcessLookupError, FileNotFoundError):
        pass


def _ip(*argv: str) -> None:
    done = subprocess.run(["ip", *argv], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"ip {' '.join(argv)}: {done.stderr.strip()}")


def _set_namespace(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
