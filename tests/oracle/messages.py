"""The four messages as fields and as bytes (protocol.md, section 3).

encode() leaves the MAC to mac_1 .. h_r below; decode() has looked at length and header only.
"""

from dataclasses import dataclass, field

from .keys import hmac_sha256, sha256

SIZE = 1024
BODY = SIZE - 32  # all but the MAC
COOKIE_SIZE = 28
MAX_OFFER = 16
Y_FIELD = 256
SEALED_SIZE = 144
SEALED_I_AT, SEALED_R_AT = 396, 292


class Malformed(Exception):
    """Length or header; the argument names which."""


def _header(kind: int) -> bytes:
    return bytes([kind, 1, 0, 0])


def _padded(message: bytes) -> bytes:
    return message.ljust(BODY, b"\0")


def kind_of(datagram: bytes) -> int:
    """1 to 4, of a message with a good length and header."""
    if len(datagram) != SIZE:
        raise Malformed("length")
    if datagram[0] not in (1, 2, 3, 4):
        raise Malformed("type")
    if datagram[1] != 1:
        raise Malformed("version")
    if datagram[2:4] != b"\0\0":
        raise Malformed("zero")
    return datagram[0]


@dataclass(frozen=True)
class Message1:
    key_id: bytes
    nonce_i: bytes
    suites: tuple[int, ...]
    highest: int = 1
    count: int | None = None  # None: as many as there are; a test may lie

    def body(self) -> bytes:
        count = len(self.suites) if self.count is None else self.count
        offer = b"".join(suite.to_bytes(2, "big") for suite in self.suites)
        return _padded(
            _header(1) + self.key_id + self.nonce_i + bytes([self.highest, count]) + offer
        )

    @staticmethod
    def decode(data: bytes) -> "Message1":
        count = data[45]
        taken = min(count, MAX_OFFER)
        suites = tuple(int.from_bytes(data[46 + 2 * i : 48 + 2 * i], "big") for i in range(taken))
        return Message1(data[4:12], data[12:44], suites, data[44], count)


@dataclass(frozen=True)
class Message2:
    h1: bytes
    nonce_r: bytes
    cookie: bytes
    suite: int
    reason: int = 0

    def body(self) -> bytes:
        fields = self.h1 + self.nonce_r + self.cookie + self.suite.to_bytes(2, "big")
        return _padded(_header(2) + fields + bytes([self.reason]))

    @staticmethod
    def decode(data: bytes) -> "Message2":
        return Message2(
            data[4:36], data[36:68], data[68:96], int.from_bytes(data[96:98], "big"), data[98]
        )


@dataclass(frozen=True)
class Message3:
    key_id: bytes
    nonce_i: bytes
    h1: bytes
    nonce_r: bytes
    cookie: bytes
    suite: int
    y_i: bytes  # with the field's zeros once decoded
    sealed: bytes = field(default=b"")

    def before_sealed(self) -> bytes:
        start = _header(3) + self.key_id + self.nonce_i + self.h1 + self.nonce_r + self.cookie
        return start + self.suite.to_bytes(2, "big") + b"\0\0" + self.y_i.ljust(Y_FIELD, b"\0")

    def body(self) -> bytes:
        return _padded(self.before_sealed() + self.sealed)

    @staticmethod
    def decode(data: bytes) -> "Message3":
        return Message3(
            data[4:12], data[12:44], data[44:76], data[76:108], data[108:136],
            int.from_bytes(data[136:138], "big"), data[140:396], data[396:540],
        )  # fmt: skip


@dataclass(frozen=True)
class Message4:
    nonce_i: bytes
    y_r: bytes  # with the field's zeros once decoded
    sealed: bytes = field(default=b"")

    def before_sealed(self) -> bytes:
        return _header(4) + self.nonce_i + self.y_r.ljust(Y_FIELD, b"\0")

    def body(self) -> bytes:
        return _padded(self.before_sealed() + self.sealed)

    @staticmethod
    def decode(data: bytes) -> "Message4":
        return Message4(data[4:36], data[36:292], data[292:436])


# --- MACs and transcripts ----------------------------------------------------------------


def with_mac(key: bytes, body: bytes) -> bytes:
    """Messages 1 and 2."""
    return body + hmac_sha256(key, body)


def with_h(dhmac: bytes, transcript: bytes, body: bytes) -> bytes:
    """Messages 3 (over T2) and 4 (over T3)."""
    return body + hmac_sha256(dhmac, transcript, body)


def mac_holds(key: bytes, message: bytes) -> bool:
    return hmac_sha256(key, message[:BODY]) == message[BODY:]


def h_holds(dhmac: bytes, transcript: bytes, message: bytes) -> bool:
    return hmac_sha256(dhmac, transcript, message[:BODY]) == message[BODY:]


def transcript(before: bytes, message: bytes) -> bytes:
    """T2 from H1, T3 from T2, T4 from T3."""
    return sha256(before, message)
