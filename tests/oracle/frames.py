"""Sealing and opening (protocol.md, section 7), one object an SA."""

import hmac
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from .suites import Protection

HEADER = 16
WINDOW = 4096


class FrameDropped(Exception):
    """The argument names why."""


DATA, PATH_PROBE = 5, 6  # types


def header(spi: int, sequence: int, kind: int = DATA) -> bytes:
    return bytes([kind, 1, 0, 0]) + spi.to_bytes(4, "big") + sequence.to_bytes(8, "big")


def spi_of(frame: bytes) -> int:
    return int.from_bytes(frame[4:8], "big")


@dataclass
class _Sa:
    protection: Protection
    encrypt_key: bytes = field(repr=False)
    mac_key: bytes = field(repr=False)
    spi: int
    frame_size: int
    tag: int
    kind: int = DATA

    @property
    def text_size(self) -> int:
        """Of the plaintext, which is as long as the ciphertext."""
        return self.frame_size - HEADER - self.tag

    def _ctr(self, sequence: int, text: bytes) -> bytes:
        start = sequence.to_bytes(8, "big") + bytes(8)
        context = Cipher(AES(self.encrypt_key), CTR(start)).encryptor()
        return context.update(text) + context.finalize()

    def _mac(self, covered: bytes) -> bytes:
        return hmac.new(self.mac_key, covered, self.protection.mac_hash).digest()[: self.tag]

    def _aead(self) -> AESGCM | ChaCha20Poly1305:
        kind = AESGCM if self.protection.name == "AES256_GCM" else ChaCha20Poly1305
        return kind(self.encrypt_key)


def _nonce(sequence: int) -> bytes:
    return bytes(4) + sequence.to_bytes(8, "big")


@dataclass
class Sealer(_Sa):
    sequence: int = 0  # of the next frame

    def seal(self, text: bytes) -> bytes:
        """`text` has exactly text_size bytes."""
        assert len(text) == self.text_size
        sequence, self.sequence = self.sequence, self.sequence + 1
        start = header(self.spi, sequence, self.kind)
        if self.protection.mac_hash:
            covered = start + self._ctr(sequence, text)
            return covered + self._mac(covered)
        if self.protection.encrypt_size:
            return start + self._aead().encrypt(_nonce(sequence), text, start)
        return start + text


@dataclass
class Opener(_Sa):
    """Keeps the replay window: a frame opens once."""

    newest: int = -1
    seen: set[int] = field(default_factory=set)

    def open(self, frame: bytes) -> bytes:
        """The plaintext, or FrameDropped."""
        sequence = self._look(frame)
        text = self._verified(frame, sequence)
        self.newest = max(self.newest, sequence)
        self.seen = {one for one in self.seen | {sequence} if one > self.newest - WINDOW}
        return text

    def _look(self, frame: bytes) -> int:
        if len(frame) != self.frame_size:
            raise FrameDropped("length")
        if frame[:4] != header(0, 0, self.kind)[:4]:
            raise FrameDropped("header")
        if spi_of(frame) != self.spi:
            raise FrameDropped("spi")
        sequence = int.from_bytes(frame[8:16], "big")
        if sequence in self.seen or sequence <= self.newest - WINDOW:
            raise FrameDropped("replayed")
        return sequence

    def _verified(self, frame: bytes, sequence: int) -> bytes:
        start, rest = frame[:HEADER], frame[HEADER:]
        if self.protection.mac_hash:
            covered, tag = frame[: -self.tag], frame[-self.tag :]
            if self._mac(covered) != tag:
                raise FrameDropped("tag")
            return self._ctr(sequence, covered[HEADER:])
        if not self.protection.encrypt_size:
            return rest
        try:
            return self._aead().decrypt(_nonce(sequence), rest, start)
        except InvalidTag:
            raise FrameDropped("tag") from None
