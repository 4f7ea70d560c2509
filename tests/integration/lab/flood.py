"""A flood of forged handshake messages before a site: what it is made of, and who sends it."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from oracle.keys import role_keys

from .datagram import UDP_PORT, checksum
from .network import Network
from .pair import Pair
from .programs import program
from .raw import RawPort

SOURCE, KEY_ID, NONCE = 1, 2, 4  # what is random in every copy
MESSAGE = 1024


@dataclass
class Result:
    sent: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.sent / self.seconds


def is_handshake(packet: bytes) -> bool:
    return len(packet) == 42 + MESSAGE and packet[12:14] == b"\x08\x00" and packet[42] in (1, 2, 3, 4)


@contextlib.contextmanager
def overhearing_handshakes(network: Network, sender: str) -> Iterator[list[bytes]]:
    """The handshake messages that a site sends during the block, whole packets."""
    heard: list[bytes] = []
    with RawPort(network.wire, f"port-{sender}") as port:
        yield heard
        heard += [packet for packet in port.drain() if is_handshake(packet)]


def forgeries(pair: Pair, heard: list[bytes]) -> list[tuple[int, bytes]]:
    """Before A: of all types, from anywhere and from B's address; real ones again."""
    outer = heard[0][:42]
    ids = [
        role_keys(pair.a.key_file.read_bytes(), *roles).key_id
        for roles in (("alpha", "beta"), ("beta", "alpha"))
    ]
    found = []
    for kind in (1, 2, 3, 4):
        for key_id in (os.urandom(8), *ids):
            body = bytes([kind, 1, 0, 0]) + key_id + os.urandom(MESSAGE - 12)
            random_id = KEY_ID if key_id not in ids else 0
            stranger = from_source(outer, "192.0.0.1") + body
            found.append((SOURCE | NONCE | random_id, stranger))
            found.append((SOURCE | NONCE | random_id, stranger))
            found.append((NONCE | random_id, outer + body))
    for packet in heard:
        found.append((0, packet))
        found.append((SOURCE, from_source(outer, "192.0.0.1") + packet[42:]))
    return found


def from_source(outer: bytes, address: str) -> bytes:
    head = bytearray(outer)
    head[24:26] = b"\0\0"
    head[26:30] = socket.inet_aton(address)
    head[24:26] = checksum(bytes(head[14:34])).to_bytes(2, "big")
    head[34:38] = UDP_PORT.to_bytes(2, "big") * 2
    head[40:42] = b"\0\0"
    return bytes(head)


class Flood:
    """Runs for `seconds`, or until the block ends. To nobody: the same load for the machine."""

    def __init__(self, network: Network, towards: str | None, packets: list[tuple[int, bytes]],
                 seconds: float, rate: int):  # fmt: skip
        self._file = tempfile.NamedTemporaryFile()
        for change, packet in packets:
            self._file.write(bytes([change]) + len(packet).to_bytes(2, "big") + packet)
        self._file.flush()
        interface = f"port-{towards}" if towards else "-"
        self._process = network.wire.spawn(
            program("tests/integration/flood/penstock-flood"), interface, str(seconds), str(rate),
            self._file.name, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> "Flood":
        return self

    def __exit__(self, *_) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(60)
        self._file.close()

    def is_running(self) -> bool:
        return self._process.poll() is None

    def result(self) -> Result:
        said, _ = self._process.communicate(timeout=600)
        sent, milliseconds = map(int, said.split())
        return Result(sent, milliseconds / 1000)
