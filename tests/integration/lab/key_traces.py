"""What a key looks like in the memory of a program that computes with it.

Round keys of AES and the states of HMAC's two hashes are as good as the key itself, so they are
searched for as well. Written from FIPS 197, FIPS 180-4 and RFC 2104.
"""

import struct

from .memory import Spread

_MASK = 0xFFFFFFFF


def traces(what: str, encrypt: bytes, mac: bytes) -> dict[str, bytes | Spread]:
    """Of AES-256 in counter mode with HMAC-SHA-256: 32 bytes each."""
    return aes_256_traces(f"{what} encrypt", encrypt) | hmac_sha256_traces(f"{what} mac", mac)


def aes_256_traces(what: str, key: bytes) -> dict[str, bytes | Spread]:
    """The key in two halves (the first two round keys), and the 13 round keys behind it."""
    schedule = aes_256_schedule(key)
    return {
        f"{what} round key {index}": schedule[16 * index : 16 * index + 16] for index in range(15)
    }


def hmac_sha256_traces(what: str, key: bytes) -> dict[str, bytes | Spread]:
    """The key, both padded blocks, and the hash's state after each, in either byte order."""
    found: dict[str, bytes | Spread] = {what: key}
    for name, pad in (("inner", 0x36), ("outer", 0x5C)):
        block = bytes(byte ^ pad for byte in key.ljust(64, b"\0"))
        state = sha256_state(block)
        found[f"{what} {name} block"] = block[: len(key)]
        found[f"{what} {name} state"] = struct.pack("<8I", *state)
        found[f"{what} {name} state, big-endian"] = struct.pack(">8I", *state)
        for lanes in (4, 8, 16):
            words = tuple(struct.pack("<I", word) for word in state)
            found[f"{what} {name} state, one of {lanes}"] = Spread(words, 4 * lanes)
    return found


# --- AES (FIPS 197) ----------------------------------------------------------------------


def _times_x(value: int) -> int:
    return (value << 1 ^ (0x11B if value & 0x80 else 0)) & 0xFF


def _make_s_box() -> list[int]:
    """Powers of 3 give every inverse; then the affine map of section 5.1.1."""
    powers = [1]
    while len(powers) < 255:
        powers.append(_times_x(powers[-1]) ^ powers[-1])
    inverse = [0] * 256
    for exponent, value in enumerate(powers):
        inverse[value] = powers[-exponent % 255]
    box = []
    for value in inverse:
        turned = value
        for shift in range(1, 5):
            turned ^= (value << shift | value >> 8 - shift) & 0xFF
        box.append(turned ^ 0x63)
    return box


_S_BOX = _make_s_box()


def aes_256_schedule(key: bytes) -> bytes:
    """Section 5.2: 15 round keys of 16 bytes."""
    words = [key[at : at + 4] for at in range(0, 32, 4)]
    constant = 1
    for index in range(8, 60):
        last = words[-1]
        if index % 8 == 0:
            last = bytes(_S_BOX[byte] for byte in last[1:] + last[:1])
            last = bytes([last[0] ^ constant]) + last[1:]
            constant = _times_x(constant)
        elif index % 8 == 4:
            last = bytes(_S_BOX[byte] for byte in last)
        words.append(bytes(a ^ b for a, b in zip(words[-8], last, strict=True)))
    return b"".join(words)


# --- SHA-256 (FIPS 180-4) ------------------------------------------------------------------


def _primes(count: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def _root_bits(value: int, root: int) -> int:
    """The first 32 bits of the fraction of a square or cube root."""
    scaled = value << 32 * root
    low, high = 0, 1 << 64
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**root <= scaled else (low, middle)
    return low & _MASK


_INITIAL = [_root_bits(prime, 2) for prime in _primes(8)]
_ROUNDS = [_root_bits(prime, 3) for prime in _primes(64)]


def _turn(value: int, bits: int) -> int:
    return (value >> bits | value << 32 - bits) & _MASK


def sha256_state(block: bytes) -> list[int]:
    """The eight words after the first block of a message."""
    schedule = list(struct.unpack(">16I", block))
    for index in range(16, 64):
        early, late = schedule[index - 15], schedule[index - 2]
        schedule.append(
            (schedule[index - 16] + (_turn(early, 7) ^ _turn(early, 18) ^ early >> 3)
             + schedule[index - 7] + (_turn(late, 17) ^ _turn(late, 19) ^ late >> 10)) & _MASK
        )  # fmt: skip
    a, b, c, d, e, f, g, h = _INITIAL
    for constant, word in zip(_ROUNDS, schedule, strict=True):
        first = (h + (_turn(e, 6) ^ _turn(e, 11) ^ _turn(e, 25)) + ((e & f) ^ (~e & g))
                 + constant + word) & _MASK  # fmt: skip
        second = ((_turn(a, 2) ^ _turn(a, 13) ^ _turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) & _MASK
        a, b, c, d, e, f, g, h = (first + second) & _MASK, a, b, c, (d + first) & _MASK, e, f, g
    return [(one + two) & _MASK for one, two in zip(_INITIAL, (a, b, c, d, e, f, g, h), strict=True)]
