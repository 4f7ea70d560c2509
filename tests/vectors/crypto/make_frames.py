#!/usr/bin/python3
"""Writes frames.txt: whole frames of every protection, sealed as docs/protocol.md section
"Frames" says by Python's hashlib and python3-cryptography, which only this script needs.

Records of "name hex" lines: the protection's number, frame size and tag length, the keys (32
and 48 bytes, of which a protection uses the first), SPI, sequence, and the frame or its SHA-256.
Byte i of the plaintext is (7 i + i / 256) mod 256.
"""

import hashlib
import hmac
import pathlib
import random
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

HEADER = 16
rng = random.Random("penstock frames")

# number: name, cipher key, hash, shortest and longest tag
PROTECTIONS = {
    1: ("AES256_CTR-SHA256", 32, "sha256", 12, 32),
    2: ("AES128_CTR-SHA256", 16, "sha256", 12, 32),
    3: ("AES256_CTR-SHA384", 32, "sha384", 12, 48),
    4: ("AES256_GCM", 32, None, 16, 16),
    5: ("CHACHA20_POLY1305", 32, None, 16, 16),
    255: ("NULL", 0, None, 0, 0),
}
# frame size, tag length wanted, sequence; only small frames are written out
CASES = [
    (256, 16, 0),
    (256, 12, 1),
    (257, 48, 2**32 - 1),
    (1472, 16, 2**32),
    (1472, 31, 2**33 + 12345),
    (9000, 17, 2**31 + 1),
]


def seal(protection, keys, header, sequence, plain, tag):
    _, key_size, digest, _, _ = PROTECTIONS[protection]
    key, mac_key = keys[0][:key_size], keys[1]
    if digest:
        counter = struct.pack(">QQ", sequence, 0)
        ciphertext = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor().update(plain)
        mac = hmac.new(mac_key[: hashlib.new(digest).digest_size], header + ciphertext, digest)
        return header + ciphertext + mac.digest()[:tag]
    if protection == 255:
        return header + plain
    aead = (AESGCM if protection == 4 else ChaCha20Poly1305)(key)
    return header + aead.encrypt(bytes(4) + struct.pack(">Q", sequence), plain, header)


def record(protection, size, wanted_tag, sequence):
    name, _, _, shortest, longest = PROTECTIONS[protection]
    tag = min(max(wanted_tag, shortest), longest)
    keys = rng.randbytes(32), rng.randbytes(48)
    spi = rng.randrange(1, 2**32)
    header = struct.pack(">BBHIQ", 5, 1, 0, spi, sequence)
    plain = bytes((7 * i + i // 256) % 256 for i in range(size - HEADER - tag))
    frame = seal(protection, keys, header, sequence, plain, tag)
    assert len(frame) == size
    fields = {
        "protection": bytes([protection]),
        "size": struct.pack(">H", size),
        "tag": bytes([tag]),
        "encrypt": keys[0],
        "mac": keys[1],
        "spi": struct.pack(">I", spi),
        "sequence": struct.pack(">Q", sequence),
    }
    if size < 300:
        fields["frame"] = frame
    else:
        fields["frame_sha256"] = hashlib.sha256(frame).digest()
    lines = "".join(f"{key} {value.hex()}\n" for key, value in fields.items())
    return f"# {name}, made by make_frames.py\n{lines}"


if __name__ == "__main__":
    records = [record(protection, *case) for protection in PROTECTIONS for case in CASES]
    (pathlib.Path(__file__).parent / "frames.txt").write_text("\n".join(records))
