"""Traffic that proves what a path did to it: numbered datagrams, and a transfer with a checksum."""

import hashlib
import random
import socket
import struct
import threading
import time
from contextlib import ExitStack

from .errors import LabError
from .namespaces import Namespace
from .traffic import SO_RCVBUFFORCE, udp_socket

SHORTEST, LONGEST = 300, 1400  # bytes of a datagram
_number = struct.Struct(">I")
_body = random.Random(7670).randbytes(1 << 16)


def datagram(number: int) -> bytes:
    """Size and contents follow from the number, so that none can be taken for another."""
    size = SHORTEST + number * 7919 % (LONGEST - SHORTEST + 1) - _number.size
    start = number * 104729 % (len(_body) - LONGEST)
    return _number.pack(number) + _body[start : start + size]


class Ear:
    """Hears numbered datagrams at an address of a host until the block ends."""

    def __init__(self, host: Namespace, address: str):
        self._socket = udp_socket(host, address)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self._socket.bind((address, 0))
        self.address = self._socket.getsockname()[:2]

    def __enter__(self) -> "Ear":
        return self

    def __exit__(self, *_) -> None:
        self._socket.close()

    def heard(self) -> list[int]:
        """The numbers until now, as they came; a LabError when one was never sent so."""
        self._socket.setblocking(False)
        numbers = []
        while True:
            try:
                text = self._socket.recv(65535)
            except BlockingIOError:
                return numbers
            (number,) = _number.unpack_from(text)
            if text != datagram(number):
                raise LabError(f"datagram {number} is not what was sent")
            numbers.append(number)


def speak(host: Namespace, to: tuple[str, int], count: int, per_second: float = 3000) -> None:
    """Sends the first `count` numbered datagrams, about this fast."""
    with udp_socket(host, to[0]) as mouth:
        began = time.monotonic()
        for number in range(count):
            mouth.sendto(datagram(number), to)
            ahead = began + number / per_second - time.monotonic()
            if ahead > 0.001:
                time.sleep(ahead)


def speak_both_ways(
    pairs: list[tuple[Namespace, Ear]], count: int, per_second: float = 3000
) -> None:
    """Each host to each ear, at once."""
    mouths = [
        threading.Thread(target=speak, args=(host, ear.address, count, per_second))
        for host, ear in pairs
    ]
    for mouth in mouths:
        mouth.start()
    for mouth in mouths:
        mouth.join()


def transfer(
    speaker: Namespace, listener: Namespace, address: str, size: int, seconds: float,
    congestion: str | None = None,
) -> float:  # fmt: skip
    """`size` random bytes over one TCP connection, within the deadline; how long they took, from
    the first SYN to the last byte. A LabError when they did not arrive as they were sent."""
    text = random.Random(size).randbytes(size)
    digest = hashlib.sha256()
    with ExitStack() as sockets:
        with listener.entered():
            server = sockets.enter_context(socket.create_server((address, 0), family=_family(address)))
        with speaker.entered():
            mouth = sockets.enter_context(socket.socket(_family(address), socket.SOCK_STREAM))
        if congestion:
            mouth.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion.encode())
        began = time.monotonic()
        talk = threading.Thread(
            target=_say_all, args=(mouth, server.getsockname()[:2], text, seconds), daemon=True
        )
        talk.start()
        try:
            server.settimeout(seconds)
            connection = sockets.enter_context(server.accept()[0])
            connection.settimeout(seconds)
            while chunk := connection.recv(1 << 16):
                digest.update(chunk)
        except TimeoutError:
            raise LabError(f"{size} bytes did not arrive within {seconds:.0f} s") from None
        took = time.monotonic() - began
        talk.join(seconds)
    if digest.digest() != hashlib.sha256(text).digest():
        raise LabError(f"{size} bytes did not arrive as they were sent")
    return took


def _say_all(mouth: socket.socket, to: tuple[str, int], text: bytes, seconds: float) -> None:
    mouth.settimeout(seconds)
    try:
        mouth.connect(to)
        mouth.sendall(text)
        mouth.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the listener says what it missed


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
