"""Pipes between socket addresses: spiped's daemons and ours, which take one command line.

    near --- end -e === addresses === end -d --- target

Addresses are written as spiped writes them; ends and targets are on this machine's loopback or at
Unix sockets. Nobody needs a namespace.
"""

import contextlib
import os
import resource
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError, wait_until
from .programs import program
from .stale import directory_prefix

PATIENCE = 60.0  # seconds that a socket waits for what should come at once


@dataclass(frozen=True)
class Maker:
    """A program that makes pipes: how its daemon is called, and how what spipe does."""

    name: str

    def daemon(self) -> list[str]:
        return ["spiped"] if self.name == "spiped" else [program("penstock"), "pipe"]

    def stdio(self) -> list[str]:
        return ["spipe"] if self.name == "spiped" else [*self.daemon(), "--stdio"]


SPIPED, PENSTOCK = Maker("spiped"), Maker("penstock")
MAKERS = [SPIPED, PENSTOCK]
# Who encrypts, who decrypts. The last shows that a scenario asks for nothing but what spiped does.
PAIRS = [(PENSTOCK, SPIPED), (SPIPED, PENSTOCK), (PENSTOCK, PENSTOCK), (SPIPED, SPIPED)]


def name_of(value: object) -> str:
    """Of a parameter: "penstock", or "penstock-spiped" of a pair."""
    return "-".join(maker.name for maker in (value if isinstance(value, tuple) else (value,)))


def makers_in(values: Iterable[object]) -> Iterator[Maker]:
    """Those among a scenario's parameters."""
    for value in values:
        if isinstance(value, Maker):
            yield value
        elif isinstance(value, tuple):
            yield from makers_in(value)


# --- addresses ---------------------------------------------------------------------------------


def tcp_address(host: str = "127.0.0.1") -> str:
    """One that nobody uses."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return f"[{host}]:{probe.getsockname()[1]}"


def socket_for(address: str) -> tuple[socket.socket, str | tuple[str, int]]:
    """A stream socket of the address's kind, and the address as Python writes it."""
    if address.startswith("/"):
        return socket.socket(socket.AF_UNIX), address
    host, port = address.removeprefix("[").split("]:")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.socket(family), (host, int(port))


def connect(address: str) -> socket.socket:
    end, place = socket_for(address)
    # Python's own timeout would make it fail at once where a Unix socket's backlog is full.
    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(PATIENCE), 0))
    try:
        end.connect(place)
    except OSError:
        end.close()
        raise
    end.settimeout(PATIENCE)
    return end


def is_listening(address: str) -> bool:
    """As the kernel's tables say: nobody notices that we look."""
    _, place = socket_for(address)
    if isinstance(place, str):
        lines = Path("/proc/net/unix").read_text().splitlines()
        return any(line.endswith(f" {place}") and line.split()[3] == "00010000" for line in lines)
    port = f":{place[1]:04X}"
    fields = [
        line.split() for table in ("tcp", "tcp6")
        for line in Path("/proc/net", table).read_text().splitlines()[1:]
    ]  # fmt: skip
    return any(field[1].endswith(port) and field[3] == "0A" for field in fields)


class Target:
    """What a pipe leads to: a listening socket whose connections a scenario takes."""

    def __init__(self, address: str):
        self.address = address
        self._listener, place = socket_for(address)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.settimeout(PATIENCE)
        self._listener.bind(place)
        self._listener.listen(1024)

    def accept(self) -> socket.socket:
        end, _ = self._listener.accept()
        end.settimeout(PATIENCE)
        return end

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept()
        self._listener.close()
        if self.address.startswith("/"):
            Path(self.address).unlink()

    def __enter__(self) -> "Target":
        return self

    def __exit__(self, *_) -> None:
        self.close()


# --- ends --------------------------------------------------------------------------------------


class End:
    """One daemon, in the foreground; it is there when the constructor returns."""

    def __init__(
        self, maker: Maker, role: str, source: str, target: str, key: Path, *options: str
    ):
        self.maker, self.source = maker, source
        self.arguments = [*maker.daemon(), role, "-s", source, "-t", target, "-k", str(key)]
        self.arguments += ["-F", *options]
        self._log = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            self.arguments, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
            preexec_fn=allow_many_files,
        )  # fmt: skip
        try:
            wait_until(self._is_ready, f"{maker.name} {role} to listen at {source}", every=0.01)
        except LabError:
            self.kill()
            raise
        self.idle_sockets = self.sockets()

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise LabError(f"{self.arguments} ended with {self.process.returncode}: {self.said()}")
        return is_listening(self.source)

    def said(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def sockets(self) -> int:
        held = 0
        for entry in os.scandir(f"/proc/{self.process.pid}/fd"):
            with contextlib.suppress(OSError):
                held += os.readlink(entry.path).startswith("socket:")
        return held

    def resident(self) -> int:
        """Bytes."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()

    def check_idle(self) -> None:
        """It lives, and soon holds no connection any more."""
        what = f"{self.maker.name} to let go of every connection"
        wait_until(lambda: self.sockets() == self.idle_sockets, what, every=0.01)
        assert self.process.poll() is None, self.said()

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def allow_many_files() -> None:
    """As many as this process may have; its children, too."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Lane:
    """The directory, key and ends of a scenario; all of them end with it."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        prefix = f"{directory_prefix()}pipe-"
        self.directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
        self.key = self.new_key("key")
        self._sockets = 0

    def __enter__(self) -> "Lane":
        return self

    def __exit__(self, *_) -> None:
        self._stack.close()

    def new_key(self, name: str) -> Path:
        (self.directory / name).write_bytes(os.urandom(32))
        return self.directory / name

    def unix_address(self) -> str:
        self._sockets += 1
        return str(self.directory / f"socket-{self._sockets}")

    def target(self, address: str | None = None) -> Target:
        return self._stack.enter_context(Target(address or tcp_address()))

    def end(
        self, maker: Maker, role: str, target: str, *options: str, source: str | None = None,
        key: Path | None = None,
    ) -> End:  # fmt: skip
        end = End(maker, role, source or tcp_address(), target, key or self.key, *options)
        self._stack.callback(end.kill)
        return end

    def pipe(self, pair: Sequence[Maker], target: Target, *options: str) -> "Pipe":
        """Both ends over TCP, with the same options."""
        decrypting = self.end(pair[1], "-d", target.address, *options)
        return Pipe(self.end(pair[0], "-e", decrypting.source, *options), decrypting, target)


@dataclass(frozen=True)
class Pipe:
    encrypting: End
    decrypting: End
    target: Target

    @contextlib.contextmanager
    def open(self) -> Iterator[tuple[socket.socket, socket.socket]]:
        """One connection through it: its near socket and the target's."""
        with connect(self.encrypting.source) as near, self.target.accept() as far:
            yield near, far

    def check_idle(self) -> None:
        self.encrypting.check_idle()
        self.decrypting.check_idle()
