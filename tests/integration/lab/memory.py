"""A process's memory, searched for bytes that should or should not be in it. Needs root.

Locked pages and those left out of core dumps are read like all others, through /proc/PID/mem.
A search that could not look at everything is an error, never "not found".
"""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

PAGE = os.sysconf("SC_PAGE_SIZE")
CHUNK = 1 << 16
MOST = 4 << 30  # bytes looked at; no program of ours is near it
PRESENT_OR_SWAPPED = 3 << 62

_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+\s*(.*)$")
_DEVICE = {"io", "pf"}  # of a region: no ordinary memory behind it


@dataclass(frozen=True)
class Region:
    start: int
    end: int
    permissions: str
    name: str
    resident: int  # bytes, swapped ones included
    flags: frozenset[str]  # VmFlags of smaps: "dd" is left out of core dumps, "lo" is locked

    @property
    def is_left_out_of_dumps(self) -> bool:
        return "dd" in self.flags

    @property
    def is_locked(self) -> bool:
        return "lo" in self.flags


@dataclass(frozen=True)
class Spread:
    """Words that stand `stride` bytes apart: a state in an engine that works on several at once."""

    words: tuple[bytes, ...]
    stride: int

    def __len__(self) -> int:
        return self.stride * (len(self.words) - 1) + len(self.words[-1])


@dataclass(frozen=True)
class Hit:
    what: str
    address: int
    region: Region


def find(pid: int, patterns: Mapping[str, bytes | Spread]) -> list[Hit]:
    """Every place where one of the patterns stands, by name."""
    assert all(len(pattern) >= 8 for pattern in patterns.values()), "too short to mean anything"
    overlap = max(map(len, patterns.values())) - 1
    hits = set()
    left = MOST
    with _opened(pid) as memory:
        for region in regions(pid):
            for start, size in _resident_runs(pid, region):
                left -= size
                if left < 0:
                    raise LabError(f"process {pid} has more than {MOST} bytes to search")
                for at, chunk in _chunks(memory, start, size, overlap):
                    hits |= {
                        Hit(what, at + offset, region)
                        for what, pattern in patterns.items()
                        for offset in _all(chunk, pattern)
                    }
    return sorted(hits, key=lambda hit: (hit.what, hit.address))


def names_found(pid: int, patterns: Mapping[str, bytes | Spread]) -> set[str]:
    return {hit.what for hit in find(pid, patterns)}


def regions(pid: int) -> list[Region]:
    """Those that can be read."""
    found = []
    for block in _smaps_blocks(Path(f"/proc/{pid}/smaps").read_text()):
        start, end, permissions, name = _MAPPING.match(block[0]).groups()
        fields = dict(line.split(":", 1) for line in block[1:])
        resident = sum(int(fields.get(key, "0 kB").split()[0]) for key in _RESIDENT) * 1024
        flags = frozenset(fields.get("VmFlags", "").split())
        if permissions[0] == "r" and name not in ("[vvar]", "[vvar_vclock]", "[vsyscall]"):
            found.append(Region(int(start, 16), int(end, 16), permissions, name, resident, flags))
    return found


_RESIDENT = ("Rss", "Swap", "Shared_Hugetlb", "Private_Hugetlb")


def _smaps_blocks(text: str) -> Iterator[list[str]]:
    block: list[str] = []
    for line in text.splitlines():
        if _MAPPING.match(line) and block:
            yield block
            block = []
        block.append(line)
    if block:
        yield block


@contextlib.contextmanager
def _opened(pid: int) -> Iterator[int]:
    descriptor = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _resident_runs(pid: int, region: Region) -> Iterator[tuple[int, int]]:
    """Parts of it that are in memory, as address and bytes: what was never touched is zero."""
    if region.resident == 0:
        return
    if "ht" in region.flags or region.flags & _DEVICE:  # huge pages have no entries of 4 KiB
        yield region.start, region.end - region.start
        return
    pages = (region.end - region.start) // PAGE
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap:
        first = None
        for base in range(0, pages, 1 << 16):
            pagemap.seek((region.start // PAGE + base) * 8)
            entries = memoryview(pagemap.read(8 * min(1 << 16, pages - base))).cast("Q")
            for index, entry in enumerate(entries, base):
                is_there = bool(entry & PRESENT_OR_SWAPPED)
                if is_there and first is None:
                    first = index
                elif not is_there and first is not None:
                    yield region.start + first * PAGE, (index - first) * PAGE
                    first = None
        if first is not None:
            yield region.start + first * PAGE, (pages - first) * PAGE


def _chunks(memory: int, start: int, size: int, overlap: int) -> Iterator[tuple[int, bytes]]:
    """All of it, with as much of the chunk before as a pattern across the seam needs."""
    tail = b""
    at = start
    while at < start + size:
        try:
            chunk = os.pread(memory, min(CHUNK, start + size - at), at)
        except OSError as error:
            raise LabError(f"memory at {at:#x} cannot be read: {error}") from None
        if not chunk:
            raise LabError(f"memory at {at:#x} is gone")
        if chunk.count(0) != len(chunk):
            yield at - len(tail), tail + chunk
        tail = chunk[-overlap:]
        at += len(chunk)


def _all(chunk: bytes, pattern: bytes | Spread) -> Iterator[int]:
    spread = pattern if isinstance(pattern, Spread) else Spread((pattern,), 0)
    at = chunk.find(spread.words[0])
    while at >= 0:
        if all(
            chunk.startswith(word, at + index * spread.stride)
            for index, word in enumerate(spread.words)
        ):
            yield at
        at = chunk.find(spread.words[0], at + 1)
