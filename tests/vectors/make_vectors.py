#!/usr/bin/python3
"""Writes the known answers that tests/unit/crypto reads, from nothing but Python's own
integers, hashlib and hmac. What can be is checked against the standards' examples first.

Format: records of "name hex" lines, a blank line between records.
"""

import hashlib
import hmac
import pathlib
import random
import struct

HERE = pathlib.Path(__file__).parent
rng = random.Random("penstock")


def write(name, records):
    text = "\n".join(
        "".join(f"{key} {value.hex()}\n" for key, value in record.items()) for record in records
    )
    (HERE / name).write_text(text)


# --- group 14 (RFC 3526 section 3) ---------------------------------------------------


def arctan_inverse(n, one):
    """arctan(1/n) in units of 1/one."""
    total = term = one // n
    divisor = 1
    while term:
        term = -term // (n * n)
        divisor += 2
        total += term // divisor
    return total


def group_14():
    guard = 64
    one = 1 << (1918 + guard)
    pi = 4 * (4 * arctan_inverse(5, one) - arctan_inverse(239, one))  # Machin
    return 2**2048 - 2**1984 - 1 + 2**64 * ((pi >> guard) + 124476)


P = group_14()


def modp_record(x, peer_x):
    peer = pow(2, peer_x, P)
    return {
        "x": x.to_bytes(32, "big"),
        "y": pow(2, x, P).to_bytes(256, "big"),
        "peer": peer.to_bytes(256, "big"),
        "shared": pow(peer, x, P).to_bytes(256, "big"),
    }


def modp_records():
    assert pow(2, P - 1, P) == 1 and pow(2, (P - 1) // 2, P) == 1
    records = [modp_record(rng.getrandbits(256), rng.getrandbits(256)) for _ in range(4)]
    records.append(modp_record(2**256 - 1, rng.getrandbits(256)))
    records.append(modp_record(2, 1))
    # A public value, then a shared one, that begin with a zero byte.
    while True:
        x = rng.getrandbits(256)
        if pow(2, x, P) >> 2040 == 0:
            records.append(modp_record(x, rng.getrandbits(256)))
            break
    while True:
        record = modp_record(rng.getrandbits(256), rng.getrandbits(256))
        if record["shared"][0] == 0:
            records.append(record)
            break
    # The edges of what is taken: x and peer such that 1 < peer < p - 1.
    x = rng.getrandbits(256)
    for peer in (2, P - 2):
        records.append({
            "x": x.to_bytes(32, "big"),
            "y": pow(2, x, P).to_bytes(256, "big"),
            "peer": peer.to_bytes(256, "big"),
            "shared": pow(peer, x, P).to_bytes(256, "big"),
        })
    return records


# --- ChaCha20-Poly1305 with nonce 0 (RFC 8439) ----------------------------------------


def chacha20_block(key, counter, nonce):
    def rotate(v, n):
        return (v << n | v >> (32 - n)) & 0xFFFFFFFF

    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574]
    start += [*struct.unpack("<8I", key), counter, *struct.unpack("<3I", nonce)]
    s = list(start)
    columns = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
    diagonals = [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
    for _ in range(10):
        for a, b, c, d in columns + diagonals:
            for bits_d, bits_b in ((16, 12), (8, 7)):
                s[a] = (s[a] + s[b]) & 0xFFFFFFFF
                s[d] = rotate(s[d] ^ s[a], bits_d)
                s[c] = (s[c] + s[d]) & 0xFFFFFFFF
                s[b] = rotate(s[b] ^ s[c], bits_b)
    return struct.pack("<16I", *((x + y) & 0xFFFFFFFF for x, y in zip(s, start)))


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for i in range(0, len(message), 16):
        block = message[i : i + 16] + b"\1"
        total = (total + int.from_bytes(block, "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def aead(key, nonce, associated, plain):
    stream = b"".join(chacha20_block(key, 1 + i, nonce) for i in range(len(plain) // 64 + 1))
    sealed = bytes(a ^ b for a, b in zip(plain, stream))

    def pad(data):
        return data + bytes(-len(data) % 16)

    lengths = struct.pack("<QQ", len(associated), len(sealed))
    one_time = chacha20_block(key, 0, nonce)[:32]
    return sealed + poly1305(one_time, pad(associated) + pad(sealed) + lengths)


def aead_records():
    # RFC 8439 section 2.8.2.
    sunscreen = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for "
        b"the future, sunscreen would be it."
    )
    sealed = aead(
        bytes(range(0x80, 0xA0)),
        bytes.fromhex("070000004041424344454647"),
        bytes.fromhex("50515253c0c1c2c3c4c5c6c7"),
        sunscreen,
    )
    assert sealed[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691"
    assert sealed.hex().startswith("d31a8d34648e60db7b86afbc53ef7ec2")

    records = []
    for associated_size, size in ((0, 0), (12, 114), (0, 64), (64, 0), (333, 700), (1, 15)):
        key, associated, plain = map(rng.randbytes, (32, associated_size, size))
        records.append({
            "key": key,
            "associated": associated,
            "plain": plain,
            "sealed": aead(key, bytes(12), associated, plain),
        })
    return records


# --- the key schedule (docs/protocol.md, section "Keys") -------------------------------


def hmac_sha256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf_expand(key, info, size):
    out = block = b""
    for i in range(1, size // 32 + 2):
        block = hmac_sha256(key, block + info + bytes([i]))
        out += block
    return out[:size]


def named(name):
    return bytes([len(name)]) + name


def key_schedule_record(key_file, initiator, responder, shared, y_r):
    nonce_i, nonce_r, t3, t4 = (rng.randbytes(32) for _ in range(4))
    k = hashlib.sha256(key_file).digest()
    p = hmac_sha256(k, b"penstock link 1" + named(initiator) + named(responder))
    dk1 = hashlib.pbkdf2_hmac("sha256", p, nonce_i + nonce_r, 1, 96)
    secret = hashlib.pbkdf2_hmac("sha256", p, nonce_i + nonce_r + shared, 1, 32)
    record = {
        "key_file": key_file,
        "initiator": initiator,
        "responder": responder,
        "nonce_i": nonce_i,
        "nonce_r": nonce_r,
        "shared": shared,
        "t3": t3,
        "t4": t4,
        "y_r": y_r,
        "K": k,
        "P": p,
        "key_id": hmac_sha256(p, b"key id")[:8],
        "k1": hmac_sha256(p, b"message 1"),
        "k2": hmac_sha256(p, b"message 2"),
        "dhmac_i": dk1[:32],
        "dhmac_r": dk1[32:64],
        "k3": dk1[64:],
        "secret": secret,
        "message_4": hkdf_expand(secret, b"message 4" + t3 + y_r, 32),
    }
    for direction in (0, 1):
        for lane in (0, 1, 63, 0x1234):
            info = b"penstock sa 1" + t4 + struct.pack(">BH", direction, lane)
            record[f"encrypt_{direction}_{lane}"] = hkdf_expand(secret, info + b"\1", 32)
            record[f"mac_{direction}_{lane}"] = hkdf_expand(secret, info + b"\2", 48)
    return record


def key_schedule_records():
    return [
        key_schedule_record(rng.randbytes(32), b"alpha", b"beta", rng.randbytes(32), rng.randbytes(32)),
        key_schedule_record(rng.randbytes(1000), b"b" * 63, b"a", rng.randbytes(256), rng.randbytes(256)),
    ]


# Suite -> the lengths of its encryption and its MAC key.
SA_KEY_LENGTHS = {
    0x0101: (32, 32),  # AES256_CTR-SHA256
    0x0102: (16, 32),  # AES128_CTR-SHA256
    0x0103: (32, 48),  # AES256_CTR-SHA384
    0x0104: (32, 0),  # AES256_GCM
    0x0105: (32, 0),  # CHACHA20_POLY1305
    0x01FF: (0, 0),  # NULL
}


def sa_keys_record(suite, lengths):
    secret, t4 = rng.randbytes(32), rng.randbytes(32)
    record = {"suite": struct.pack(">H", suite), "secret": secret, "t4": t4}
    for direction in (0, 1):
        for lane in (0, 1, 63):
            info = b"penstock sa 1" + t4 + struct.pack(">BH", direction, lane)
            for number, (purpose, length) in enumerate(zip(("encrypt", "mac"), lengths), 1):
                if length:
                    key = hkdf_expand(secret, info + bytes([number]), length)
                    record[f"{purpose}_{direction}_{lane}"] = key
        info = b"penstock sa 1" + t4 + struct.pack(">BH", direction, 0)
        for number, (purpose, length) in enumerate(zip(("encrypt", "mac"), lengths), 3):
            if length:
                record[f"probe_{purpose}_{direction}"] = hkdf_expand(
                    secret, info + bytes([number]), length
                )
    return record


def sa_keys_records():
    return [sa_keys_record(suite, lengths) for suite, lengths in SA_KEY_LENGTHS.items()]


if __name__ == "__main__":
    write("modp2048.txt", modp_records())
    write("aead_once.txt", aead_records())
    write("key_schedule.txt", key_schedule_records())
    write("sa_keys.txt", sa_keys_records())
