"""What goes through a pipe, and proof that it came out as it went in."""

import concurrent.futures
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .pipes import PATIENCE, Target

_PERIOD = 1_000_003  # prime: whatever is moved, repeated or left out shows
_BLOCK = random.Random(7).randbytes(_PERIOD) * 2


def pattern(at: int, size: int) -> memoryview:
    """Bytes `at`.. of the stream that all scenarios send; at most 1,000,003 of them."""
    return memoryview(_BLOCK)[at % _PERIOD :][: min(size, _PERIOD)]


def send(end: socket.socket, size: int, at: int = 0) -> None:
    last = at + size
    while at < last:
        piece = pattern(at, last - at)
        end.sendall(piece)
        at += len(piece)


def receive(end: socket.socket, size: int, at: int = 0) -> None:
    """Exactly these bytes of the stream; fails at the first that is another."""
    last, buffer = at + size, bytearray(1 << 18)
    while at < last:
        got = end.recv_into(buffer, min(len(buffer), last - at))
        assert got > 0, f"the stream ends {last - at} bytes early, at {at}"
        is_same = memoryview(buffer)[:got] == pattern(at, got)
        assert is_same, f"of {got} bytes that came from {at} on some are wrong"
        at += got


def is_ended(end: socket.socket) -> bool:
    """The far side has closed, or closed its half. Fails where something comes."""
    try:
        left = end.recv(1)
    except ConnectionError:
        return True
    assert left == b"", f"{left!r} came where nothing should"
    return True


def carry(sender: socket.socket, receiver: socket.socket, size: int) -> None:
    """All of it, then the end of it; the other half stays open."""

    def whole() -> None:
        send(sender, size)
        sender.shutdown(socket.SHUT_WR)

    with beside(whole):
        receive(receiver, size)
        assert is_ended(receiver)


@contextmanager
def beside(work) -> Iterator[concurrent.futures.Future]:
    """`work` goes on in a thread meanwhile; what it raises is raised at the end."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        yield future
        future.result(PATIENCE)


def reset(end: socket.socket) -> None:
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


class Echo:
    """Gives every connection of a target what it sends; a thread each. `heard` counts bytes."""

    def __init__(self, target: Target):
        self.target = target
        self.heard = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                end = self.target.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(target=self._serve, args=[end], daemon=True).start()

    def _serve(self, end: socket.socket) -> None:
        end.settimeout(None)
        with end:
            try:
                while data := end.recv(1 << 16):
                    with self._lock:
                        self.heard += len(data)
                    end.sendall(data)
            except OSError:
                pass


def ask(end: socket.socket, word: bytes = b"word") -> None:
    """There and back through an echo."""
    end.sendall(word)
    assert end.recv(len(word), socket.MSG_WAITALL) == word
