"""The 128 sealed bytes, and what two sets of them agree on (protocol.md, section 4)."""

from dataclasses import dataclass, replace
from enum import IntEnum

from . import identity
from .suites import Suite

SIZE = 128
IDENTITY_AT = 16
KIND_3, IDENTITY = 0x01, 0x80  # flags


class Reason(IntEnum):
    """Section 5."""

    NONE = 0
    SUITE = 1
    VERSION = 2
    TAG = 3
    PARAMETERS = 4
    SHAPING = 5
    IDENTITY = 6


@dataclass(frozen=True)
class Parameters:
    reason: int = 0
    flags: int = 0
    tag: int = 16
    min_tag: int = 12
    spi_base: int = 0
    frame: int = 1472
    lanes: int = 1
    shaping: int = 0
    identity: bytes = b""  # key and signature; empty when bit 7 of flags is clear

    def encode(self) -> bytes:
        packed = bytes([self.reason, self.flags, self.tag, self.min_tag])
        packed += self.spi_base.to_bytes(4, "big") + self.frame.to_bytes(2, "big")
        packed += self.lanes.to_bytes(2, "big") + bytes([self.shaping])
        return (packed.ljust(IDENTITY_AT, b"\0") + self.identity).ljust(SIZE, b"\0")

    @staticmethod
    def decode(data: bytes) -> "Parameters":
        return Parameters(
            data[0], data[1], data[2], data[3], int.from_bytes(data[4:8], "big"),
            int.from_bytes(data[8:10], "big"), int.from_bytes(data[10:12], "big"), data[12],
            data[IDENTITY_AT : IDENTITY_AT + identity.SIZE] if data[1] & IDENTITY else b"",
        )  # fmt: skip

    def showing(self, shown: bytes) -> "Parameters":
        return replace(self, flags=self.flags | IDENTITY, identity=shown)

    def for_suite(self, suite: Suite) -> "Parameters":
        """As a side writes them once the suite is known."""
        tag, min_tag = suite.fitted_tags(self.tag, self.min_tag)
        return replace(self, tag=tag, min_tag=min_tag)


REFUSED = Parameters(0, 0, 0, 0, 0, 0, 0, 0)  # all that goes with a reason


@dataclass(frozen=True)
class Agreement:
    tag: int
    frame: int


def agree(suite: Suite, one: Parameters, other: Parameters) -> Agreement | Reason:
    """Both sides compute it; the order of the two does not matter. Identities are looked at
    before."""
    if not (_in_range(suite, one) and _in_range(suite, other)):
        return Reason.PARAMETERS
    if one.shaping != other.shaping:
        return Reason.SHAPING
    tag = min(one.tag, other.tag)
    if tag < max(one.min_tag, other.min_tag):
        return Reason.TAG
    return Agreement(tag, min(one.frame, other.frame))


def _in_range(suite: Suite, side: Parameters) -> bool:
    has = suite.protection
    return (
        side.flags & ~(KIND_3 | IDENTITY) == 0
        and 1 <= side.lanes <= 64
        and side.spi_base != 0
        and side.spi_base % 64 == 0
        and has.shortest_tag <= side.min_tag <= side.tag <= has.longest_tag
        and 256 <= side.frame <= 9000
    )
