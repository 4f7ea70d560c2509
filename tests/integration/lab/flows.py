"""Many flows at once between two hosts: each has to keep its order and its bytes."""

import hashlib
import random
import selectors
import socket
import threading
from dataclasses import dataclass, field

from .namespaces import Namespace
from .raw import SO_RCVBUFFORCE
from .traffic import udp_socket


def converse(
    speaker: Namespace, listener: Namespace, address: str, flows: int, length: int
) -> list[bool]:
    """So many TCP connections side by side, `length` bytes each; of each, whether they came whole."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with listener.entered():
        server = socket.create_server((address, 0), family=family, backlog=flows)
    heard: dict[int, str] = {}

    def listen() -> None:
        connection, _ = server.accept()
        with connection:
            connection.settimeout(60)
            flow = connection.recv(1)
            digest = hashlib.sha256()
            while chunk := connection.recv(65536):
                digest.update(chunk)
        heard[flow[0]] = digest.hexdigest()

    def speak(flow: int, mouth: socket.socket) -> None:
        with mouth:
            mouth.sendall(bytes([flow]) + texts[flow])

    texts = [random.Random(flow).randbytes(length) for flow in range(flows)]
    with server:
        server.settimeout(60)
        ears = [threading.Thread(target=listen, daemon=True) for _ in range(flows)]
        for ear in ears:
            ear.start()
        with speaker.entered():
            mouths = [
                socket.create_connection(server.getsockname()[:2], timeout=60)
                for _ in range(flows)
            ]
        voices = [threading.Thread(target=speak, args=pair) for pair in enumerate(mouths)]
        for voice in voices:
            voice.start()
        for thread in voices + ears:
            thread.join(60)
    return [heard.get(flow) == hashlib.sha256(texts[flow]).hexdigest() for flow in range(flows)]


@dataclass
class Heard:
    """What became of numbered letters, by flow."""

    sent: list[int] = field(default_factory=list)
    came: list[int] = field(default_factory=list)
    not_in_order: int = 0

    @property
    def lost(self) -> int:
        return sum(self.sent) - sum(self.came)


class Letters:
    """UDP datagrams of many sizes in many flows, each numbered within its flow, until the block
    ends; then `heard` says what came."""

    def __init__(self, speaker: Namespace, listener: Namespace, address: str, flows: int,
                 per_second: float):  # fmt: skip
        self.heard = Heard([0] * flows, [0] * flows)
        self._pause = 1 / per_second
        self._ears = [udp_socket(listener, address) for _ in range(flows)]
        self._mouths = [udp_socket(speaker, address) for _ in range(flows)]
        for ear, mouth in zip(self._ears, self._mouths, strict=True):
            ear.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
            ear.bind((address, 0))
            mouth.connect(ear.getsockname()[:2])
        self._stop = threading.Event()
        self._is_silent = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._speak, self._listen)]

    def __enter__(self) -> "Letters":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        for end in self._ears + self._mouths:
            end.close()

    def _speak(self) -> None:
        chance = random.Random(0)
        while not self._stop.wait(self._pause):
            flow = chance.randrange(len(self._mouths))
            number = self.heard.sent[flow]
            self._mouths[flow].send(number.to_bytes(4, "big") + bytes(chance.randrange(1400)))
            self.heard.sent[flow] += 1
        self._is_silent.set()

    def _listen(self) -> None:
        """Until all have come, or none does for 5 s after the last was sent."""
        last = [-1] * len(self._ears)
        with selectors.DefaultSelector() as ears:
            for flow, ear in enumerate(self._ears):
                ears.register(ear, selectors.EVENT_READ, flow)
            while not self._is_silent.is_set() or self.heard.lost > 0:
                ready = ears.select(5 if self._is_silent.is_set() else 0.2)
                if not ready and self._is_silent.is_set():
                    return
                for key, _ in ready:
                    number = int.from_bytes(key.fileobj.recv(65535)[:4], "big")
                    self.heard.came[key.data] += 1
                    self.heard.not_in_order += number <= last[key.data]
                    last[key.data] = number
