"""The key schedule (protocol.md, section 2, "Keys")."""

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

ENCRYPT, MAC, PROBE_ENCRYPT, PROBE_MAC = 1, 2, 3, 4  # purposes
I_TO_R, R_TO_I = 0, 1  # directions


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def hmac_sha256(key: bytes, *parts: bytes) -> bytes:
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def pbkdf2(password: bytes, salt: bytes, size: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password, salt, 1, size)


def hkdf_expand(key: bytes, info: bytes, size: int) -> bytes:
    return HKDFExpand(SHA256(), size, info).derive(key) if size else b""


@dataclass(frozen=True)
class RoleKeys:
    """What one key file is for handshakes that `initiator` starts with `responder`."""

    p: bytes
    key_id: bytes
    k1: bytes
    k2: bytes


def role_keys(key_file: bytes, initiator: str, responder: str) -> RoleKeys:
    names = b"".join(bytes([len(n)]) + n for n in (initiator.encode(), responder.encode()))
    p = hmac_sha256(sha256(key_file), b"penstock link 1", names)
    return RoleKeys(
        p, hmac_sha256(p, b"key id")[:8], hmac_sha256(p, b"message 1"), hmac_sha256(p, b"message 2")
    )


@dataclass(frozen=True)
class NonceKeys:
    """Of one pair of nonces; known before any Diffie-Hellman."""

    dhmac_i: bytes
    dhmac_r: bytes
    k3: bytes


def nonce_keys(p: bytes, nonce_i: bytes, nonce_r: bytes) -> NonceKeys:
    stream = pbkdf2(p, nonce_i + nonce_r, 96)
    return NonceKeys(stream[:32], stream[32:64], stream[64:])


def session_secret(p: bytes, nonce_i: bytes, nonce_r: bytes, y_ir: bytes) -> bytes:
    return pbkdf2(p, nonce_i + nonce_r + y_ir, 32)


def key_4(secret: bytes, t3: bytes, y_r: bytes) -> bytes:
    return hkdf_expand(secret, b"message 4" + t3 + y_r, 32)


def sa_key(secret: bytes, t4: bytes, direction: int, lane: int, purpose: int, size: int) -> bytes:
    label = bytes([direction]) + lane.to_bytes(2, "big") + bytes([purpose])
    return hkdf_expand(secret, b"penstock sa 1" + t4 + label, size)


def seal_once(key: bytes, before: bytes, parameters: bytes) -> bytes:
    """sealed_I and sealed_R: the key is used once, so the nonce is zeros."""
    return ChaCha20Poly1305(key).encrypt(bytes(12), parameters, before)


def open_once(key: bytes, before: bytes, sealed: bytes) -> bytes | None:
    try:
        return ChaCha20Poly1305(key).decrypt(bytes(12), sealed, before)
    except InvalidTag:
        return None
