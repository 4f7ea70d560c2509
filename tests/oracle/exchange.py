"""Key exchanges (protocol.md, section 2, "Suites"). Private values are given, not drawn here,
so that a handshake can be repeated from fixed randomness."""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True)
class Exchange:
    """`shared` is None for a public value that must be refused."""

    number: int
    name: str
    private_size: int
    public_size: int
    public: Callable[[bytes], bytes]  # of a private value
    shared: Callable[[bytes, bytes], bytes | None]  # of a private value and the peer's public one


def _x25519_public(private: bytes) -> bytes:
    key = X25519PrivateKey.from_private_bytes(private).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _x25519_shared(private: bytes, peer: bytes) -> bytes | None:
    key = X25519PrivateKey.from_private_bytes(private)
    try:
        shared = key.exchange(X25519PublicKey.from_public_bytes(peer))
    except ValueError:  # how the library refuses a result of zeros
        return None
    return shared if any(shared) else None


# RFC 3526, section 3.
GROUP_14 = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
    "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
    "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
    "9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
    "3995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF",
    16,
)


def _modp_public(private: bytes) -> bytes:
    return pow(2, int.from_bytes(private, "big"), GROUP_14).to_bytes(256, "big")


def _modp_shared(private: bytes, peer: bytes) -> bytes | None:
    y = int.from_bytes(peer, "big")
    if y <= 1 or y >= GROUP_14 - 1:
        return None
    return pow(y, int.from_bytes(private, "big"), GROUP_14).to_bytes(256, "big")


# --- P-256 and P-384 (FIPS 186-4; the orders n from its appendix D.1.2) -------------------------


@dataclass(frozen=True)
class _Curve:
    curve: ec.EllipticCurve
    order: int

    def _key(self, private: bytes) -> ec.EllipticCurvePrivateKey:
        """Nearly every number of that size is below n already."""
        return ec.derive_private_key(int.from_bytes(private, "big") % self.order or 1, self.curve)

    def public(self, private: bytes) -> bytes:
        key = self._key(private).public_key()
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def shared(self, private: bytes, peer: bytes) -> bytes | None:
        if peer[0] != 4:
            return None
        try:
            point = ec.EllipticCurvePublicKey.from_encoded_point(self.curve, peer)
        except ValueError:  # not on the curve, or a coordinate out of range
            return None
        return self._key(private).exchange(ec.ECDH(), point)


_P256 = _Curve(
    ec.SECP256R1(), 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
)
_P384 = _Curve(
    ec.SECP384R1(),
    int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
        16,
    ),
)

EXCHANGES = {
    row.number: row
    for row in (
        Exchange(1, "X25519", 32, 32, _x25519_public, _x25519_shared),
        Exchange(2, "P256", 32, 65, _P256.public, _P256.shared),
        Exchange(3, "P384", 48, 97, _P384.public, _P384.shared),
        Exchange(4, "MODP2048", 32, 256, _modp_public, _modp_shared),
    )
}
