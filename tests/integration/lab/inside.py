"""What is inside while somebody watches the wire: nothing, a web-like visit, or bulk.

Run as a program in a host's namespace: `serve ADDRESS` answers, `talk ADDRESS RATE` does what
each line on its standard input says from then on: idle, web or bulk (at most RATE bytes a
second). All of it is TCP. The hosts stand for machines of their own, so both programs are
nice: their work must not cost the sites their processor.
"""

import contextlib
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from .errors import LabError
from .namespaces import Namespace

PORT = 7671
SO_MAX_PACING_RATE = 47
ACTIVITIES = ("idle", "web", "bulk")
BULK, WEB = b"b", b"w"  # a connection's first byte
_request = struct.Struct("=I300x")  # bytes of the answer
_abort = struct.pack("ii", 1, 0)  # SO_LINGER: what is unsent is forgotten


class Inside:
    """The traffic of host A with host B; begins idle."""

    def __init__(self, talker: subprocess.Popen):
        self._talker = talker

    def begin(self, activity: str) -> None:
        assert activity in ACTIVITIES and self._talker.stdin
        self._talker.stdin.write(f"{activity}\n")
        self._talker.stdin.flush()


@contextlib.contextmanager
def traffic_inside(
    near: Namespace, far: Namespace, address: str, bytes_per_second: int
) -> Iterator[Inside]:
    """The server's end in `far`, at `address`; its client in `near`."""
    server = _start(far, "serve", address)
    talker = _start(near, "talk", address, str(bytes_per_second))
    try:
        yield Inside(talker)
        if talker.poll() is not None or server.poll() is not None:
            raise LabError("the traffic inside ended by itself")
    finally:
        for process in (talker, server):
            process.kill()
            process.wait(20)


def _start(host: Namespace, *arguments: str) -> subprocess.Popen:
    process = host.spawn(
        "nice", "-n", "5", sys.executable, "-m", "lab.inside", *arguments,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).resolve().parents[1],
    )  # fmt: skip
    assert process.stdout
    if process.stdout.readline() != "ready\n":
        raise LabError(f"no traffic inside: `{arguments[0]}` did not begin")
    return process


# --- in the hosts ----------------------------------------------------------------------


def serve(address: str) -> None:
    with socket.create_server((address, PORT)) as server:
        print("ready", flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection, contextlib.suppress(ConnectionError):
        if connection.recv(1) == BULK:
            while connection.recv(1 << 16):
                pass
        while len(asked := connection.recv(_request.size, socket.MSG_WAITALL)) == _request.size:
            connection.sendall(bytes(_request.unpack(asked)[0]))


class Talker:
    def __init__(self, address: str, bytes_per_second: int):
        self._address = address
        self._rate = bytes_per_second
        self._chance = random.Random(7671)

    def run(self) -> None:
        print("ready", flush=True)
        while activity := _told():
            if activity != "idle":
                with socket.create_connection((self._address, PORT)) as mouth:
                    mouth.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _abort)
                    mouth.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, self._rate)
                    self._bulk(mouth) if activity == "bulk" else self._web(mouth)

    def _bulk(self, mouth: socket.socket) -> None:
        mouth.send(BULK)
        chunk = bytes(1 << 15)
        while not _is_told():
            if select.select([], [mouth], [], 0.01)[1]:
                mouth.send(chunk, socket.MSG_DONTWAIT)

    def _web(self, mouth: socket.socket) -> None:
        mouth.send(WEB)
        while not _is_told():
            self._visit(mouth)

    def _visit(self, mouth: socket.socket) -> None:
        """A page: a few small requests, answers of some 2 to 200 kB, then time to read."""
        for _ in range(self._chance.randrange(1, 7)):
            size = int(2000 * 100 ** self._chance.random())
            mouth.sendall(_request.pack(size))
            mouth.recv(size, socket.MSG_WAITALL)
        time.sleep(0.01 + 0.05 * self._chance.random())


def _is_told() -> bool:
    return bool(select.select([sys.stdin], [], [], 0)[0])


def _told() -> str:
    """The latest order, waited for; empty when nobody gives any more."""
    return (os.read(sys.stdin.fileno(), 4096).decode().split() or [""])[-1]


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        Talker(sys.argv[2], int(sys.argv[3])).run()
