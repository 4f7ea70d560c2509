"""What ordinary hosts cannot send or see: whole Ethernet packets, byte for byte.

The kernel takes an outer VLAN tag out of a received packet and tells it aside
(PACKET_AUXDATA, packet(7)); receive() puts it back, so that what was sent and what came
can be compared as bytes.
"""

import select
import socket
import struct
import threading
import time
from collections.abc import Callable

from .datagram import checksum
from .namespaces import Namespace

SOL_PACKET = 263
PACKET_ADD_MEMBERSHIP, PACKET_AUXDATA, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 1, 8, 15, 23
PACKET_MR_PROMISC = 1
ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 0x10, 0x40
_auxdata = struct.Struct("=IIIHHHH")  # status, len, snaplen, mac, net, vlan tci, vlan tpid
_vnet = struct.Struct("<BBHHHH")  # flags, gso type, header length, gso size, csum start and offset

BROADCAST = b"\xff" * 6
# For packets of our own that no stack answers (IEEE 802 local experimental ethertype 1).
ETHERTYPE_LAB = 0x88B5


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def ethernet(destination: bytes, source: bytes, ethertype: int, payload: bytes) -> bytes:
    return destination + source + ethertype.to_bytes(2, "big") + payload


def tagged(packet: bytes, tpid: int, tci: int) -> bytes:
    """The packet with one more VLAN tag, outermost."""
    return packet[:12] + struct.pack(">HH", tpid, tci) + packet[12:]


def echo_request(destination: bytes, source: bytes, number: int, body: bytes) -> bytes:
    """An ICMP echo request between addresses that no host of ours has."""
    icmp = struct.pack(">BBHHH", 8, 0, 0, 7670, number) + body
    icmp = icmp[:2] + checksum(icmp).to_bytes(2, "big") + icmp[4:]
    addresses = socket.inet_aton("10.8.0.1") + socket.inet_aton("10.8.0.2")
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(icmp), number, 0, 64, 1, 0) + addresses
    ip = ip[:10] + checksum(ip).to_bytes(2, "big") + ip[12:]
    return ethernet(destination, source, 0x0800, ip + icmp)


class RawPort:
    """A packet socket on one interface. Sees what arrives there, not what leaves."""

    def __init__(self, namespace: Namespace, interface: str, offload: bool = False):
        self._offload = offload
        with namespace.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            index = socket.if_nametoindex(interface)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        if offload:
            self.socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        membership = struct.pack("IHH8s", index, PACKET_MR_PROMISC, 0, b"")
        self.socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)
        self.socket.bind((interface, ETH_P_ALL))

    def __enter__(self) -> "RawPort":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def send(self, packet: bytes) -> None:
        self.socket.send(packet)

    def send_unfinished(self, packet: bytes, vnet: tuple[int, int, int, int, int, int]) -> None:
        """With a virtio-net header: flags, gso type, header length, gso size, csum start, offset."""
        self.socket.send(_vnet.pack(*vnet) + packet)

    def receive(self, seconds: float = 0.0) -> bytes | None:
        """The next packet, tags inside; None when none came in time."""
        received = self.receive_with_offload(seconds)
        return received[1] if received else None

    def receive_with_offload(self, seconds: float) -> tuple[tuple[int, ...], bytes] | None:
        if not select.select([self.socket], [], [], seconds)[0]:
            return None
        data, ancillary, _, _ = self.socket.recvmsg(70000, 128)
        vnet: tuple[int, ...] = ()
        if self._offload:
            vnet, data = _vnet.unpack_from(data), data[_vnet.size :]
        for level, kind, value in ancillary:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, _, _, _, _, tci, tpid = _auxdata.unpack(value)
                if status & TP_STATUS_VLAN_VALID:
                    data = tagged(
                        data, tpid if status & TP_STATUS_VLAN_TPID_VALID else 0x8100, tci
                    )
        return vnet, data

    def drain(self) -> list[bytes]:
        """Everything that has arrived until now."""
        packets = []
        while (packet := self.receive()) is not None:
            packets.append(packet)
        return packets

    def collect(
        self, wanted: Callable[[bytes], bool], count: int, seconds: float = 10.0
    ) -> list[bytes]:
        """The first `count` packets that are `wanted`; fewer when they do not come in time."""
        found: list[bytes] = []
        deadline = time.monotonic() + seconds
        while len(found) < count and (left := deadline - time.monotonic()) > 0:
            packet = self.receive(left)
            if packet is not None and wanted(packet):
                found.append(packet)
        return found


class Echo:
    """A responder at raw sockets: returns every packet that is `wanted`, MACs swapped."""

    def __init__(self, namespace: Namespace, interface: str, wanted: Callable[[bytes], bool]):
        self._port = RawPort(namespace, interface)
        self._wanted = wanted
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Echo":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()
        self._port.socket.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            packet = self._port.receive(0.05)
            if packet is not None and self._wanted(packet):
                self._port.send(packet[6:12] + packet[:6] + packet[12:])


def echo_marked(
    near: Namespace, far: Namespace, interface: str, packets: list[bytes], seconds: float = 10.0
) -> int:
    """Sends each packet from `near`; `far` returns it. How many came back byte-identical."""
    expected = {packet[6:12] + packet[:6] + packet[12:] for packet in packets}
    outward = set(packets)
    with RawPort(near, interface) as port, Echo(far, interface, outward.__contains__):
        for packet in packets:
            port.send(packet)
        return len(port.collect(expected.__contains__, len(packets), seconds))
