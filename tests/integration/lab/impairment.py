"""A bad path: the box in the middle of the wire that loses, copies, reorders and delays packets."""

import json
import subprocess
from dataclasses import asdict, dataclass, fields

from .errors import LabError, wait_until
from .network import Network
from .programs import program


@dataclass(frozen=True)
class Harm:
    """What happens to packets of one direction (impair/path.hpp says it exactly). Shares are
    0 to 1, times microseconds."""

    loss: float = 0
    burst_enter: float = 0
    burst_leave: float = 1
    burst_loss: float = 1
    duplicate: float = 0
    reorder: float = 0
    reorder_distance: int = 0
    reorder_wait: int = 1000
    delay: int = 0
    jitter: int = 0
    mtu: int = 0  # of what passes; 0: everything
    mark: float = 0
    rate: int = 0  # bits a second; 0: no bottleneck
    queue: int = 64 << 10

    def words(self) -> str:
        return " ".join(f"{name}={value}" for name, value in asdict(self).items())


NO_HARM = Harm()


@dataclass(frozen=True)
class Toll:
    """What one direction counted; a difference is what happened in between."""

    seen: int
    too_long: int
    lost: int
    queue_full: int
    marked: int
    duplicated: int
    reordered: int
    delivered: int
    refused: int
    kernel_dropped: int
    inside: int

    def __sub__(self, before: "Toll") -> "Toll":
        return Toll(**{
            field.name: getattr(self, field.name) - getattr(before, field.name)
            for field in fields(Toll)
        })  # fmt: skip

    @property
    def vanished(self) -> int:
        return self.too_long + self.lost + self.queue_full + self.refused + self.kernel_dropped


class BadPath:
    """Between both sites of a network whose wire is a switch. Harmless until it is told.

    Begin and end it while the link is idle: what is under way just then is lost. The same seed
    harms the same packets, counted from the start of each direction.
    """

    def __init__(self, network: Network, seed: int = 7670):
        self._wire = network.wire
        self._seed = seed

    def __enter__(self) -> "BadPath":
        for port in ("port-a", "port-b"):
            self._wire.run("ip", "link", "set", port, "nomaster")
        self._process = self._wire.spawn(
            program("tests/integration/impair/penstock-impair"), "port-a", "port-b",
            str(self._seed), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        if self._read() != "ready":
            raise LabError("penstock-impair did not start")
        return self

    def __exit__(self, *_) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        if self._wire.exists():
            for port in ("port-a", "port-b"):
                self._wire.run("ip", "link", "set", port, "master", "switch")

    def harm(self, harm: Harm, towards: str = "both") -> None:
        """From now on, what goes towards site "a" or "b", or both."""
        direction = {"a": "ba", "b": "ab", "both": "both"}[towards]
        answer = self._ask(f"set {direction} {harm.words()}")
        if answer != "ok":
            raise LabError(f"penstock-impair: {answer}")

    def heal(self) -> None:
        self.harm(NO_HARM)

    def toll(self, towards: str) -> Toll:
        return Toll(**json.loads(self._ask("counters"))["ab" if towards == "b" else "ba"])

    def settle(self) -> None:
        """Waits until nothing is inside."""
        wait_until(
            lambda: self.toll("a").inside == self.toll("b").inside == 0, "the path to be empty", 60
        )

    def _ask(self, line: str) -> str:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> str:
        """Waits as long as it takes: the box answers, or ends."""
        return self._process.stdout.readline().rstrip("\n")
