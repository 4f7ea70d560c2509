"""Writes down every packet on the wire: when the kernel got it, how long it is, how it begins.

Run as a program it listens at the interfaces it is given, in the namespace it stands in, until
its standard input ends, and appends a record of each packet to a file. What the records mean is
worked out later (wire_features): a packet costs little here, and steals no time from the sites.
"""

import json
import select
import socket
import struct
import subprocess
import sys
from pathlib import Path

from .errors import LabError
from .namespaces import Namespace
from .raw import SOL_PACKET
from .ring import Ring

RING_MEGABYTES = 64
SO_TIMESTAMPNS, PACKET_TIMESTAMP, SOF_TIMESTAMPING_SOFTWARE = 35, 17, 1 << 4
HEAD = 80  # bytes of a packet: Ethernet, IPv6, UDP and a frame's header
record = struct.Struct(f"=QHH{HEAD}s")  # nanoseconds, interface (in order), length, head
_packet = struct.Struct("=IIIIIIH")  # next offset, seconds, ns, captured, length, status, mac


class Recorder:
    """The listening process, from its first packet to the end of the block."""

    def __init__(self, namespace: Namespace, interfaces: list[str], file: Path):
        self.missed = 0  # valid after the block
        self._process = namespace.spawn(
            "nice", "-n", "10", sys.executable, "-m", "lab.recorder", str(file), *interfaces,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).resolve().parents[1],
        )  # fmt: skip
        self._answer()

    def _answer(self) -> dict:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise LabError("the recorder ended by itself")
        return json.loads(line)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, failure, *_) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            if failure is None:
                self.missed = self._answer()["missed"]
        finally:
            self._process.kill()
            self._process.wait(20)


def _write_down(rings: list[Ring], file) -> None:
    unpack, pack = _packet.unpack_from, record.pack
    for port, ring in enumerate(rings):
        for _, count, at in ring.blocks():
            records = []
            for _ in range(count):
                step, seconds, nanoseconds, captured, length, _, mac = unpack(ring.memory, at)
                head = ring.memory[at + mac : at + mac + min(HEAD, captured)]
                records.append(pack(seconds * 1_000_000_000 + nanoseconds, port, length, head))
                at += step
            file.write(b"".join(records))


def main() -> None:
    path, *interfaces = sys.argv[1:]
    rings = [Ring(interface, RING_MEGABYTES) for interface in interfaces]
    for ring in rings:  # the time is taken where the packet is sent, not when we get our turn
        ring.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        ring.socket.setsockopt(SOL_PACKET, PACKET_TIMESTAMP, SOF_TIMESTAMPING_SOFTWARE)
    print("{}", flush=True)  # we listen
    with open(path, "ab") as file:
        while sys.stdin not in select.select([sys.stdin, *rings], [], [])[0]:
            _write_down(rings, file)
        select.select([], [], [], 0.1)  # until the blocks in hand are handed over
        _write_down(rings, file)
    print(json.dumps({"missed": sum(ring.lost() for ring in rings)}), flush=True)


if __name__ == "__main__":
    main()
