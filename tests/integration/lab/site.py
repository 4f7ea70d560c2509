"""One site: its config and key, `penstock run` in its namespace, and what its status says."""

import json
import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import LabError, wait_until
from .namespaces import Namespace, with_no_complaint
from .programs import program

CONTROL_PLANE = "penstockd"
DATA_PLANE = "penstock-datapl"  # the kernel keeps 15 characters of a program's name


@dataclass
class SiteConfig:
    """What the config file says. `link` and the others are laid over the usual keys."""

    name: str
    peer: str
    address: str
    endpoint: str  # empty: the far side comes to us
    gateway: str | None = None
    plain: str = "af_packet:plain"
    wire: str = "af_packet:wire"
    site: dict[str, Any] = field(default_factory=dict)
    link: dict[str, Any] = field(default_factory=dict)

    def text(self, run_dir: Path, key_file: Path) -> str:
        sections = {
            "[site]": {"name": self.name, "run_dir": str(run_dir),
                       "state_dir": str(run_dir.with_name("state")), **self.site},
            "[ports.plain]": {"device": self.plain},
            "[ports.wire]": {"device": self.wire, "address": self.address}
            | ({"gateway": self.gateway} if self.gateway else {}),
            "[[link]]": {
                "peer": self.peer,
                "key_file": str(key_file),
                **self.link,
            }
            | ({"endpoint": self.endpoint} if self.endpoint else {}),
        }
        return "\n".join(
            "\n".join([header, *(f"{key} = {toml(value)}" for key, value in keys.items()), ""])
            for header, keys in sections.items()
        )


def toml(value: object) -> str:
    """As TOML writes it: like JSON, but for tables."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)


class Site:
    """Everything of it lives in one directory: site.toml, run/, log."""

    def __init__(self, namespace: Namespace, directory: Path, config: SiteConfig, key_file: Path):
        self.namespace = namespace
        self.config = config
        self.key_file = key_file
        self.config_file = directory / "site.toml"
        self.log_file = directory / "log"
        self.run_dir = directory / "run"
        self._process: subprocess.Popen | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self.write_config()

    def write_config(self) -> None:
        self.config_file.write_text(self.config.text(self.run_dir, self.key_file))

    # --- its processes ---------------------------------------------------------------

    def start(self, outlives_us: bool = False) -> None:
        with self.log_file.open("ab") as log:
            self._process = self.namespace.spawn(
                program("penstock"), "run", str(self.config_file),
                outlives_us=outlives_us, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def stop(self, seconds: float = 60) -> int:
        """SIGTERM, as an operator would; the exit code."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        family = [process.pid, *descendants(process.pid)]
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.config.name} did not stop within {seconds} s") from None
        finally:
            for pid in family:
                with_no_complaint(_kill_if, pid)

    def attempt(self, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """`penstock run` that is expected to refuse: what it said, and its exit code."""
        return self.namespace.attempt(
            program("penstock"), "run", str(self.config_file), timeout=seconds
        )

    @property
    def supervisor(self) -> int:
        assert self._process is not None, "the site is not running"
        return self._process.pid

    def pid_of(self, name: str) -> int:
        """Of CONTROL_PLANE or DATA_PLANE; 0 while there is none."""
        return next((pid for pid in descendants(self.supervisor) if command_name(pid) == name), 0)

    def prefer(self) -> None:
        """Its data plane goes before what else this machine does: the hosts, the eavesdropper and
        the far site would be other machines, and must not cost it its processor."""
        pid = wait_until(lambda: self.pid_of(DATA_PLANE), f"{DATA_PLANE} of {self.config.name}")
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setscheduler(int(thread.name), os.SCHED_FIFO, os.sched_param(1))

    def kill(self, name: str) -> int:
        """kill -9, no farewell; returns the pid that died."""
        pid = wait_until(lambda: self.pid_of(name), f"{name} of {self.config.name} to run")
        _kill(pid)
        return pid

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def memory_megabytes(self) -> float:
        """VmRSS and huge pages of both processes."""
        pids = [self.pid_of(CONTROL_PLANE), self.pid_of(DATA_PLANE)]
        return sum(resident_megabytes(pid) for pid in pids)

    def ask_rekey(self) -> None:
        socket = str(self.run_dir / "admin.sock")
        self.namespace.run(program("penstock"), "rekey", self.config.peer, "--socket", socket)

    # --- what it says ----------------------------------------------------------------

    def status(self) -> dict[str, Any] | None:
        """None while nobody answers."""
        asked = self.namespace.attempt(
            program("penstock"), "status", "--json", "--socket", str(self.run_dir / "admin.sock")
        )
        if asked.returncode != 0:
            return None
        return json.loads(asked.stdout)

    def counters(self) -> "Tally":
        def probe() -> dict[str, Any] | None:
            status = self.status()
            return status if status and status["counters"] else None

        status = wait_until(probe, f"{self.config.name} to tell its counters", 20)
        return Tally(status["counters"], status["gauges"], status["drops"])

    def link(self) -> dict[str, Any]:
        status = self.status()
        return status["links"][0] if status and status["links"] else {}

    def session(self) -> dict[str, Any]:
        """The one it sends on; empty when it has none."""
        link = self.link()
        return (link.get("session") or {}) if link.get("state") == "up" else {}

    def is_up(self) -> bool:
        """Has a session; a LabError when it has ended instead."""
        if not self.is_running():
            raise LabError(f"{self.config.name} has ended by itself:\n{self.log_tail()}")
        return bool(self.session())

    def wait_up(self) -> None:
        wait_until(self.is_up, f"a session of {self.config.name}", 100)

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_tail(self, lines: int = 30) -> str:
        return "\n".join(self.log().splitlines()[-lines:])


@dataclass(frozen=True)
class Tally:
    """Counters, gauges and drops by name. Their difference is what happened in between."""

    counters: dict[str, int]
    gauges: dict[str, int]
    drops: dict[str, int]

    def __getitem__(self, name: str) -> int:
        return self.counters[name] if name in self.counters else self.drops[name]

    def since(self, before: "Tally") -> "Tally":
        def minus(now: dict[str, int], then: dict[str, int]) -> dict[str, int]:
            return {name: count - then.get(name, 0) for name, count in now.items()}

        return Tally(
            minus(self.counters, before.counters), self.gauges, minus(self.drops, before.drops)
        )

    def dropped(self) -> dict[str, int]:
        """The reasons that occurred; but for `wire_foreign`, which is also what the other site
        asks its gateway now and then (ARP), and no doing of a test's."""
        found = {name: count for name, count in self.drops.items() if count}
        found.pop("wire_foreign", None)
        return found


# --- the process table -----------------------------------------------------------------


def descendants(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [found for child in children for found in (int(child), *descendants(int(child)))]


def command_name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def resident_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    sizes = [line.split()[1] for line in lines if line.startswith(("VmRSS:", "HugetlbPages:"))]
    return sum(map(int, sizes)) / 1024


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _kill_if(pid: int) -> None:
    if command_name(pid) in ("penstock", CONTROL_PLANE, DATA_PLANE):
        _kill(pid)
