"""A folder in which pipes are started, over Unix sockets, with a key and somebody to talk to."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

from lab.errors import wait_until
from lab.programs import program

PENSTOCK = os.path.abspath(program("penstock"))


class Bench:
    """A folder with a key and names for sockets; all that was started ends with it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.key = folder / "key"
        self.key.write_bytes(os.urandom(32))
        self.key.chmod(0o600)
        self.started: list[subprocess.Popen] = []

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
