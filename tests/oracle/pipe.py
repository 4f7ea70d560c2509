"""The protocol of pipes, spiped's (protocol.md, section "Pipes"), with every value in the
caller's hands: whoever holds the key may also send what no program would."""

import os
import secrets
from dataclasses import dataclass, field
from enum import Enum

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from .exchange import GROUP_14
from .keys import hmac_sha256, pbkdf2, sha256

NONCE, PUBLIC, MAC = 32, 256, 32
EXCHANGE = PUBLIC + MAC  # y || h
HANDSHAKE = NONCE + EXCHANGE  # what either side sends before its first packet
TEXT = 1024
PACKET = TEXT + 4 + MAC


class Role(Enum):
    CLIENT = 0
    SERVER = 1


class Refused(Exception):
    """What the far side sent does not hold."""


def number(y: bytes) -> int:
    return int.from_bytes(y, "big")


def octets(y: int) -> bytes:
    return y.to_bytes(PUBLIC, "big")


@dataclass
class Way:
    """One direction's keys, and the number of its next packet."""

    encrypt: bytes
    mac: bytes
    next: int = 0

    def seal(self, text: bytes) -> bytes:
        return self.seal_padded(text.ljust(TEXT, b"\0"), len(text))

    def seal_padded(self, padded: bytes, length: int) -> bytes:
        """Any length may be claimed for these 1024 bytes, with a MAC that holds."""
        assert len(padded) == TEXT
        sealed = self._cipher(padded + length.to_bytes(4, "big"))
        packet = sealed + self._tag(sealed)
        self.next += 1
        return packet

    def open(self, packet: bytes) -> bytes:
        sealed, tag = packet[:-MAC], packet[-MAC:]
        if len(packet) != PACKET or tag != self._tag(sealed):
            raise Refused(f"packet {self.next} does not hold")
        plain = self._cipher(sealed)
        length = number(plain[TEXT:])
        if not 1 <= length <= TEXT or any(plain[length:TEXT]):
            raise Refused(f"packet {self.next} is padded wrongly, its length is {length}")
        self.next += 1
        return plain[:length]

    def _cipher(self, data: bytes) -> bytes:
        return Cipher(AES(self.encrypt), CTR(self.next.to_bytes(8, "big") + bytes(8))) \
            .encryptor().update(data)  # fmt: skip

    def _tag(self, sealed: bytes) -> bytes:
        return hmac_sha256(self.mac, sealed, self.next.to_bytes(8, "big"))


@dataclass
class Side:
    """One side of a conversation: `nonce` at once, `exchange` when the peer's nonce is known,
    `ways` when its y || h is. x is 0 without forward secrecy."""

    role: Role
    key_file: bytes
    x: int = field(default_factory=lambda: secrets.randbits(256))
    nonce: bytes = field(default_factory=lambda: os.urandom(NONCE))
    peer_nonce: bytes = b""

    @property
    def y(self) -> int:
        return pow(2, self.x, GROUP_14)

    def exchange(self, y: int | None = None) -> bytes:
        """y || h; any other y than one's own gets a MAC that holds, too."""
        sent = octets(self.y if y is None else y)
        return sent + hmac_sha256(self._dhmac(self.role), sent)

    def shared(self, peer_exchange: bytes) -> int:
        """y_SC; raises where a program would hang up."""
        y, h = peer_exchange[:PUBLIC], peer_exchange[PUBLIC:]
        peer = Role.SERVER if self.role is Role.CLIENT else Role.CLIENT
        if h != hmac_sha256(self._dhmac(peer), y):
            raise Refused("h does not hold")
        if number(y) >= GROUP_14:
            raise Refused("y is not below p")
        return pow(number(y), self.x, GROUP_14)

    def ways(self, shared: int) -> tuple[Way, Way]:
        """What this side sends with, and what it receives with."""
        stream = pbkdf2(sha256(self.key_file), self._nonces() + octets(shared), 128)
        e_c, h_c, e_s, h_s = (stream[at : at + 32] for at in range(0, 128, 32))
        client, server = Way(e_c, h_c), Way(e_s, h_s)
        return (client, server) if self.role is Role.CLIENT else (server, client)

    def _nonces(self) -> bytes:
        pair = (self.nonce, self.peer_nonce)
        return b"".join(pair if self.role is Role.CLIENT else reversed(pair))

    def _dhmac(self, sender: Role) -> bytes:
        stream = pbkdf2(sha256(self.key_file), self._nonces(), 64)
        return stream[:32] if sender is Role.CLIENT else stream[32:]
