"""The cookie (protocol.md, section 3, "Message 2"): what R gives away instead of keeping state."""

import ipaddress
from dataclasses import dataclass

from .keys import hmac_sha256

LIFE = 10  # seconds


@dataclass(frozen=True)
class Address:
    """The way of a message in the clear."""

    ip: str
    port: int

    def encode(self) -> bytes:
        ip = ipaddress.ip_address(self.ip)
        start = bytes([ip.version]) + ip.packed.ljust(16, b"\0") + self.port.to_bytes(2, "big")
        return start + bytes(14)


@dataclass(frozen=True)
class Inside:
    """The way of a message that came as a control block of a living session."""

    session_id: bytes

    def encode(self) -> bytes:
        return b"\0" + self.session_id


Route = Address | Inside


@dataclass(frozen=True)
class Bound:
    """What a cookie holds together."""

    route: Route
    key_id: bytes
    h1: bytes
    nonce_r: bytes
    suite: int

    def encode(self) -> bytes:
        bound = self.route.encode() + self.key_id + self.h1 + self.nonce_r
        return bound + self.suite.to_bytes(2, "big")


def bake(secret: bytes, epoch: int, bound: Bound) -> bytes:
    start = (epoch % 2**32).to_bytes(4, "big")
    return start + hmac_sha256(secret, start, bound.encode())[:24]


def is_good(secret: bytes, now: int, cookie: bytes, bound: Bound) -> bool:
    epoch = int.from_bytes(cookie[:4], "big")
    return (now - epoch) % 2**32 < LIFE and bake(secret, epoch, bound) == cookie
