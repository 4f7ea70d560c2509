"""What can be read off a window of recorded packets without any key, as numbers.

Two kinds, apart: what packets look like and how many they are (sizes, counts, bytes, lanes,
SPIs, UDP ports, every field of the outer headers), and the gaps between them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .datagram import DATA_FRAME, UDP_PORT
from .recorder import HEAD

WINDOW_NS = 100_000_000
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_record = np.dtype([("ns", "<u8"), ("port", "<u2"), ("length", "<u2"), ("head", "u1", HEAD)])
_IPV4, _IPV6, _UDP = 0x0800, 0x86DD, 17


@dataclass
class Wire:
    """Everything recorded, in the order of time; one number a packet in each column."""

    ns: np.ndarray
    port: np.ndarray  # where it was heard: 0 is A's side, 1 is B's
    is_frame: np.ndarray
    columns: dict[str, np.ndarray]  # of the headers, and the size

    def between(self, begin: int, end: int) -> "Wire":
        part = slice(*np.searchsorted(self.ns, (begin, end)))
        return self._picked(part)

    def frames_of(self, port: int) -> "Wire":
        return self._picked(self.is_frame & (self.port == port))

    def _picked(self, which) -> "Wire":
        columns = {name: column[which] for name, column in self.columns.items()}
        return Wire(self.ns[which], self.port[which], self.is_frame[which], columns)


def read_wire(file: Path) -> Wire:
    records = np.fromfile(file, _record)
    records = records[np.argsort(records["ns"], kind="stable")]
    head = records["head"].astype(np.int64)
    ethertype = _field(head, 12, 2)
    is_v6 = ethertype == _IPV6
    is_udp = np.where(is_v6, head[:, 20], head[:, 23]) == _UDP
    is_udp &= is_v6 | (ethertype == _IPV4)

    def either(v4: np.ndarray, v6: np.ndarray) -> np.ndarray:
        return np.where(is_v6, v6, v4)

    def behind_ip(at: int, count: int) -> np.ndarray:
        return either(_field(head, 34 + at, count), _field(head, 54 + at, count))

    traffic_class = either(head[:, 15], _field(head, 14, 2) >> 4 & 0xFF)
    columns = {
        "size": records["length"].astype(np.int64),
        "ethertype": ethertype,
        "dscp": traffic_class >> 2,
        "ecn": traffic_class & 3,
        "ttl": either(head[:, 22], head[:, 21]),
        "ip id": either(_field(head, 18, 2), 0),
        "ip fragment": either(_field(head, 20, 2), 0),
        "flow label": either(0, _field(head, 15, 3) & 0xFFFFF),
        "source port": behind_ip(0, 2),
        "destination port": behind_ip(2, 2),
        "udp checksum": (behind_ip(6, 2) != 0).astype(np.int64),
        "frame head": behind_ip(8, 4),  # type, version, zeros
        "spi": behind_ip(12, 4),
        "sequence": behind_ip(16, 8),
    }
    is_frame = is_udp & (columns["destination port"] == UDP_PORT)
    is_frame &= columns["frame head"] >> 24 == DATA_FRAME
    return Wire(records["ns"].astype(np.int64), records["port"], is_frame, columns)


def _field(head: np.ndarray, at: int, count: int) -> np.ndarray:
    """A big-endian number in every packet."""
    value = np.zeros(len(head), np.int64)
    for byte in range(at, at + count):
        value = value << 8 | head[:, byte]
    return value


def looks(window: Wire) -> list[float]:
    """Counts, sizes and header fields, in both directions."""
    return _counts(window) + _headers(window)


def coarse_looks(window: Wire) -> list[float]:
    """The same with counts to the nearest ten frames. A machine short of processors misses ticks,
    and more of them while the hosts, whose work it does too, are busy."""
    return [10 * round(count / 10) for count in _counts(window)] + _headers(window)


def _counts(window: Wire) -> list[float]:
    """Frames in all, their bytes (as packets of 1500), and frames of the busiest and the least
    busy lane and SPI."""
    numbers: list[float] = []
    for port in (0, 1):
        frames = window.frames_of(port)
        numbers += [len(frames.ns), frames.columns["size"].sum() / 1500]
        for name in ("source port", "destination port", "spi"):
            counts = np.unique(frames.columns[name], return_counts=True)[1]
            numbers += [counts.max(initial=0), counts.min() if len(counts) else 0]
    return [float(number) for number in numbers]


def _headers(window: Wire) -> list[float]:
    numbers: list[float] = [np.count_nonzero(~window.is_frame)]
    for port in (0, 1):
        frames = window.frames_of(port)
        spi, sequence = frames.columns["spi"], frames.columns["sequence"]
        # An SPI is random: what tells is how many there are, and whether numbers are skipped.
        numbers += [len(np.unique(spi)), float(np.count_nonzero(np.diff(sequence) != 1))]
        for name, column in frames.columns.items():
            if name not in ("spi", "sequence"):
                numbers += _spread(column)
    return [float(number) for number in numbers]


def _spread(column: np.ndarray) -> list[float]:
    if not len(column):
        return [0, 0, 0, 0, 0]
    return [column.min(), column.max(), column.mean(), column.std(), len(np.unique(column))]


def gaps(window: Wire) -> list[float]:
    """Between one frame and the next of a direction, in seconds."""
    numbers: list[float] = []
    for port in (0, 1):
        ns = window.frames_of(port).ns
        gap = np.diff(ns) / 1e9 if len(ns) > 1 else np.array([WINDOW_NS / 1e9])
        numbers += [gap.mean(), gap.std(), gap.min(), gap.max(), *np.quantile(gap, QUANTILES)]
    return [float(number) for number in numbers]
