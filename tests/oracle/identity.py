"""Identities (protocol.md, section 4): what a side shows, and what the other makes of it."""

import base64
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_SIZE, SIGNATURE_SIZE = 32, 64
SIZE = KEY_SIZE + SIGNATURE_SIZE
TEXT = "ed25519:"
LABEL_I, LABEL_R = b"penstock identity I", b"penstock identity R"
CHECKS = 10  # signatures a second, for each of the two ways


@dataclass(frozen=True)
class Identity:
    """Of a link that has them: the own private value, and the other site's public key."""

    private: bytes
    peer: bytes

    @property
    def public(self) -> bytes:
        key = Ed25519PrivateKey.from_private_bytes(self.private).public_key()
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def text(self) -> str:
        """The public key as section 2 writes it."""
        return TEXT + base64.b64encode(self.public).decode()

    @staticmethod
    def parse(text: str) -> bytes:
        assert text.startswith(TEXT)
        return base64.b64decode(text.removeprefix(TEXT), validate=True)

    def shown_by_i(self, t2: bytes, head: bytes) -> bytes:
        return self._shown(LABEL_I + t2 + head + self.public + self.peer)

    def shown_by_r(self, t3: bytes, head: bytes) -> bytes:
        return self._shown(LABEL_R + t3 + head + self.peer + self.public)

    def takes_from_i(self, shown: bytes, t2: bytes, head: bytes) -> bool:
        return self._takes(shown, LABEL_I + t2 + head + self.peer + self.public)

    def takes_from_r(self, shown: bytes, t3: bytes, head: bytes) -> bool:
        return self._takes(shown, LABEL_R + t3 + head + self.public + self.peer)

    def is_of_peer(self, shown: bytes) -> bool:
        """As far as one sees without looking at the signature."""
        return shown[:KEY_SIZE] == self.peer

    def _shown(self, text: bytes) -> bytes:
        return self.public + Ed25519PrivateKey.from_private_bytes(self.private).sign(text)

    def _takes(self, shown: bytes, text: bytes) -> bool:
        if not self.is_of_peer(shown):
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.peer).verify(shown[KEY_SIZE:], text)
        except InvalidSignature:
            return False
        return True
