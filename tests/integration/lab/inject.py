"""Everybody on the wire who interferes: sends what they like, or stands in the middle."""

import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

from .datagram import UDP_PORT, checksum, find_udp, is_data_frame
from .errors import LabError
from .network import Network
from .raw import RawPort

Policy = Callable[[bytes], Iterable[bytes]]
T = TypeVar("T")


class Injector:
    """Puts packets in front of one site's wire port, as if the wire had carried them there."""

    def __init__(self, network: Network, towards: str):
        self._port = RawPort(network.wire, f"port-{towards}")

    def __enter__(self) -> "Injector":
        return self

    def __exit__(self, *_) -> None:
        self._port.socket.close()

    def send(self, packets: Iterable[bytes]) -> None:
        for packet in packets:
            self._port.send(packet)


def overhear(network: Network, sender: str, count: int, provoke: Callable[[], object]) -> list[bytes]:
    """The first data frames that a site sends once `provoke` is called; they arrive all the same."""
    with RawPort(network.wire, f"port-{sender}") as port:
        provoke()
        return port.collect(is_data_frame, count)


class ManInTheMiddle:
    """Between one site and the other, in one direction. Once armed, each data frame goes to
    `policy`, and what that returns goes on instead. Everything else passes untouched.

    The kernel drops the frames behind our tap (packet sockets hear before nftables does).
    Begin and end it while the link is idle: frames under way just then never arrive.
    """

    def __init__(self, network: Network, sender: str, policy: Policy):
        self._wire = network.wire
        self._from, self._to = f"port-{sender}", "port-b" if sender == "a" else "port-a"
        self.policy = policy
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._lock = threading.Lock()  # no frame is half dealt with while it is held
        self._armed = False
        self._met = 0  # frames, armed or not
        self.seen = 0  # frames that went to the policy

    def __enter__(self) -> "ManInTheMiddle":
        hook = f"type filter hook ingress device {self._from} priority 0;"
        rule = f"udp dport {UDP_PORT} @th,64,8 5 drop"
        self._wire.run("nft", f"table netdev middle {{ chain hold {{ {hook} {rule}\n }}\n }}")
        self._in = RawPort(self._wire, self._from)
        self._out = RawPort(self._wire, self._to)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()
        self._in.socket.close()
        self._out.socket.close()
        self._wire.run("nft", "delete", "table", "netdev", "middle")

    def arm(self) -> None:
        self._armed = True

    def arm_after(self, read: Callable[[], T]) -> T:
        """What `read` returns, no frame having come between its begin and the first armed one."""
        return self._switch(True, read)

    def disarm_after(self, read: Callable[[], T]) -> T:
        """What `read` returns, no frame having come between its begin and the first disarmed one."""
        return self._switch(False, read)

    def _switch(self, armed: bool, read: Callable[[], T]) -> T:
        for _ in range(20):  # an idle site speaks every 3 seconds
            met = self._met
            found = read()
            with self._lock:
                if self._met == met:
                    self._armed = armed
                    return found
        raise LabError(f"frames kept coming through {self._from} while it should be idle")

    def _run(self) -> None:
        while not self._stop.is_set():
            packet = self._in.receive(0.02)
            if packet is not None and is_data_frame(packet):
                with self._lock:
                    self._deal_with(packet)

    def _deal_with(self, packet: bytes) -> None:
        self._met += 1
        if self._armed:
            self.seen += 1
        for changed in self.policy(packet) if self._armed else [packet]:
            self._out.send(changed)


# --- changing a frame ------------------------------------------------------------------


def payload_of(packet: bytes) -> bytes:
    found = find_udp(packet)
    assert found is not None
    return packet[found.payload_at : found.payload_at + found.payload_length]


def with_payload(packet: bytes, payload: bytes) -> bytes:
    """The packet with another UDP payload, every length and checksum of the headers right."""
    found = find_udp(packet)
    assert found is not None
    head = bytearray(packet[: found.payload_at])
    udp = found.payload_at - 8
    head[udp + 4 : udp + 6] = (8 + len(payload)).to_bytes(2, "big")
    head[udp + 6 : udp + 8] = b"\0\0"
    if packet[12:14] == b"\x08\x00":
        head[16:18] = (udp - 14 + 8 + len(payload)).to_bytes(2, "big")
        head[24:26] = b"\0\0"
        head[24:26] = checksum(bytes(head[14:udp])).to_bytes(2, "big")
        return bytes(head) + payload
    head[18:20] = (8 + len(payload)).to_bytes(2, "big")
    pseudo = bytes(head[22:54]) + (8 + len(payload)).to_bytes(4, "big") + b"\0\0\0\x11"
    total = checksum(pseudo + bytes(head[udp:]) + payload) or 0xFFFF
    head[udp + 6 : udp + 8] = total.to_bytes(2, "big")
    return bytes(head) + payload


def flipped(packet: bytes, offset: int, bit: int = 0) -> bytes:
    """One bit of the UDP payload turned; a negative offset counts from its end."""
    payload = bytearray(payload_of(packet))
    payload[offset] ^= 1 << bit
    return with_payload(packet, bytes(payload))


def replaced(packet: bytes, offset: int, value: bytes) -> bytes:
    """Bytes of the UDP payload written over."""
    payload = bytearray(payload_of(packet))
    payload[offset : offset + len(value)] = value
    return with_payload(packet, bytes(payload))
