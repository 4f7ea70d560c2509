"""A packet socket with a large receive ring (TPACKET_V3, Documentation/networking/packet_mmap).

The kernel fills blocks of packets and hands each over whole; a reader that keeps up with
blocks loses nothing, and the kernel says how many it lost if it did.
"""

import mmap
import socket
import struct
from collections.abc import Iterator

from .raw import (
    ETH_P_ALL,
    PACKET_ADD_MEMBERSHIP,
    PACKET_IGNORE_OUTGOING,
    PACKET_MR_PROMISC,
    SOL_PACKET,
)

PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION = 5, 6, 10
TPACKET_V3 = 2
TP_STATUS_KERNEL, TP_STATUS_USER = 0, 1
BLOCK_BYTES = 1 << 20
RETIRE_MS = 10  # a block that is not full is handed over after this long

_status = struct.Struct("=I")
_block = struct.Struct("=II")  # number of packets, offset of the first; at BLOCK_COUNTS
BLOCK_STATUS, BLOCK_COUNTS = 8, 12


class Ring:
    """What arrives at one interface of the namespace the caller stands in."""

    def __init__(self, interface: str, megabytes: int):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V3)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        frame_bytes = 1 << 16
        request = struct.pack(
            "=7I", BLOCK_BYTES, megabytes, frame_bytes,
            megabytes * BLOCK_BYTES // frame_bytes, RETIRE_MS, 0, 0,
        )  # fmt: skip
        self.socket.setsockopt(SOL_PACKET, PACKET_RX_RING, request)
        self.memory = mmap.mmap(self.socket.fileno(), megabytes * BLOCK_BYTES)
        membership = struct.pack(
            "IHH8s", socket.if_nametoindex(interface), PACKET_MR_PROMISC, 0, b""
        )
        self.socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)
        self.socket.bind((interface, ETH_P_ALL))
        self._blocks = megabytes
        self._next = 0
        self._lost = 0

    def fileno(self) -> int:
        return self.socket.fileno()

    def blocks(self) -> Iterator[tuple[int, int, int]]:
        """Each block that is ready: its start in `memory`, packets in it, where the first is.
        A block goes back to the kernel when the next is asked for."""
        while True:
            start = self._next * BLOCK_BYTES
            (status,) = _status.unpack_from(self.memory, start + BLOCK_STATUS)
            if not status & TP_STATUS_USER:
                return
            count, first = _block.unpack_from(self.memory, start + BLOCK_COUNTS)
            yield start, count, start + first
            _status.pack_into(self.memory, start + BLOCK_STATUS, TP_STATUS_KERNEL)
            self._next = (self._next + 1) % self._blocks

    def lost(self) -> int:
        """Packets the kernel had no room for, since the ring was made."""
        raw = self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 12)
        self._lost += struct.unpack("=III", raw)[1]  # packets, drops, freezes; cleared by reading
        return self._lost
