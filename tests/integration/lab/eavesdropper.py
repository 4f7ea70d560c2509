"""Listens to everything on the wire, in a process of its own, and says what can be told.

Run as a program it listens at the interfaces it is given, in the namespace it stands in, and
answers each line on standard input with one line of JSON. Counting is by exact headers;
what they mean is worked out when somebody asks, so that a packet costs little here.
"""

import argparse
import json
import select
import struct
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .datagram import classify, find_udp
from .errors import LabError
from .namespaces import Namespace
from .raw import TP_STATUS_VLAN_VALID, tagged
from .ring import RETIRE_MS, Ring

RING_MEGABYTES = 128  # half a second of a fast wire, if nobody reads meanwhile
EXPECTED_KINDS = ("arp", "neighbour discovery")
_packet = struct.Struct("=I8xIIIH")  # next offset, (time), captured, length, status, mac offset


@dataclass
class Report:
    packets: int = 0
    missed: int = 0  # the kernel had no room for them: then nothing below is certain
    data_sizes: dict[int, int] = field(default_factory=dict)  # UDP payload bytes -> frames
    handshakes: dict[int, int] = field(default_factory=dict)  # message 1..4 -> datagrams
    handshake_sizes: dict[int, int] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)  # ARP and neighbour discovery
    else_seen: dict[str, int] = field(default_factory=dict)  # what should not be there
    markers: dict[str, int] = field(default_factory=dict)  # text in clear -> times seen

    @property
    def data_frames(self) -> int:
        return sum(self.data_sizes.values())

    @property
    def plaintext_seen(self) -> int:
        return sum(self.markers.values())


class Eavesdropper:
    """The listening process, from its first packet to the end of the block."""

    def __init__(self, namespace: Namespace, interfaces: list[str], markers: list[bytes]):
        self._process = namespace.spawn(
            sys.executable, "-m", "lab.eavesdropper", *interfaces,
            *(f"--marker={marker.hex()}" for marker in markers),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).resolve().parents[1],
        )  # fmt: skip
        self._answer()

    def report(self) -> Report:
        """Everything that was on the wire until now."""
        assert self._process.stdin
        self._process.stdin.write("report\n")
        self._process.stdin.flush()
        answer = self._answer()
        for numbered in ("data_sizes", "handshakes", "handshake_sizes"):
            answer[numbered] = {int(key): count for key, count in answer[numbered].items()}
        return Report(**answer)

    def _answer(self) -> dict:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise LabError("the eavesdropper ended by itself")
        return json.loads(line)

    def __enter__(self) -> "Eavesdropper":
        return self

    def __exit__(self, *_) -> None:
        self._process.terminate()
        self._process.communicate()


class _Ears:
    """Inside the process: rings, and what has been heard."""

    def __init__(self, interfaces: list[str], markers: list[bytes]):
        self.rings = [Ring(interface, RING_MEGABYTES) for interface in interfaces]
        self._markers = markers
        self._heard: Counter[tuple[int, bytes]] = Counter()
        self._marked: Counter[bytes] = Counter()

    def listen(self) -> None:
        for ring in self.rings:
            for start, count, first in ring.blocks():
                end = self._walk(ring.memory, count, first)
                block = ring.memory[start:end]
                for marker in self._markers:
                    self._marked[marker] += block.count(marker)

    def _walk(self, memory, count: int, at: int) -> int:
        heard, unpack = self._heard, _packet.unpack_from
        end = at
        for _ in range(count):
            step, captured, length, status, mac = unpack(memory, at)
            data = at + mac
            # Up to the first byte of UDP payload over IPv4, else over IPv6.
            size = 43 if memory[data + 12] == 8 else 63
            head = memory[data : data + min(size, captured)]
            if status & TP_STATUS_VLAN_VALID:
                head = tagged(head, 0x8100, 0)
            heard[length, head] += 1
            end = data + captured
            at += step
        return end

    def report(self) -> Report:
        report = Report(missed=sum(ring.lost() for ring in self.rings))
        for (length, head), count in self._heard.items():
            report.packets += count
            kind = classify(head)
            found = find_udp(head)
            if kind == "data" and found:
                _add(report.data_sizes, found.payload_length, count)
            elif kind.startswith("handshake") and found:
                _add(report.handshakes, int(kind.split()[1]), count)
                _add(report.handshake_sizes, found.payload_length, count)
            elif kind in EXPECTED_KINDS:
                _add(report.expected, kind, count)
            else:
                _add(report.else_seen, f"{kind}, {length} bytes", count)
        report.markers = {
            marker.decode(errors="replace"): self._marked[marker] for marker in self._markers
        }
        return report


def _add(counts: dict, key, count: int) -> None:
    counts[key] = counts.get(key, 0) + count


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("interfaces", nargs="+")
    arguments.add_argument("--marker", action="append", default=[], type=bytes.fromhex)
    asked = arguments.parse_args()
    ears = _Ears(asked.interfaces, asked.marker)
    print("{}", flush=True)  # we listen
    while True:
        ready, _, _ = select.select([sys.stdin, *ears.rings], [], [])
        if sys.stdin in ready:
            if not sys.stdin.readline():
                return
            time.sleep(10 * RETIRE_MS / 1000)  # until the blocks in hand are handed over
            ears.listen()
            print(json.dumps(vars(ears.report())), flush=True)
        else:
            ears.listen()


if __name__ == "__main__":
    main()
