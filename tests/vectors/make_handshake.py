#!/usr/bin/python3
"""Writes handshake_<exchange>.txt and handshake_identities.txt: every message and every key of a whole handshake, and a frame
each way, by the oracle in tests/oracle from fixed randomness.

Format: "name hex" lines, as in the other files here. Names are docs/protocol.md's; keys and
frames end in _<direction>_<lane>. What a side draws at random comes first. `route` is that
of I's messages, in the clear, as the cookie takes it. With identities, `identity_i` and
`identity_r` are the private values, and `pk`, `sig` what the parameters show.
"""

import pathlib
import random
import sys
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from oracle import blocks, cookie, keys, messages
from oracle.identity import KEY_SIZE, Identity
from oracle.initiator import Initiator
from oracle.parameters import KIND_3, Parameters
from oracle.responder import Responder
from oracle.session import Session
from oracle.suites import SUITES, suite



@dataclass(frozen=True)
class Row:
    name: str  # of its file
    suite: str
    has_identities: bool = False


ROWS = (
    Row("x25519", "X25519-AES256_CTR-SHA256"),
    Row("p256", "P256-AES256_GCM"),
    Row("p384", "P384-CHACHA20_POLY1305"),
    Row("modp2048", "MODP2048-AES256_CTR-SHA384"),
    Row("identities", "X25519-CHACHA20_POLY1305", has_identities=True),
)
NAMES = ("alpha", "beta")
ADDRESS = cookie.Address("192.0.2.1", 7670)
EPOCH = 0xFFFFFFFE
OURS = Parameters(flags=KIND_3, tag=16, spi_base=0x00C0FFC0, frame=1472, lanes=2)
THEIRS = Parameters(tag=24, min_tag=14, spi_base=0xDEADBE40, frame=1452, lanes=1)


class Dice:
    """Fixed randomness that remembers what it gave."""

    def __init__(self, seed: str):
        self._chance = random.Random(seed)
        self.given: list[bytes] = []

    def __call__(self, size: int) -> bytes:
        self.given.append(self._chance.randbytes(size))
        return self.given[-1]


def identities(row: Row) -> tuple[Identity, Identity] | tuple[None, None]:
    if not row.has_identities:
        return None, None
    private_i, private_r = (Dice(f"penstock {row.suite} identity {side}")(32) for side in "IR")
    public_i, public_r = (Identity(private, b"").public for private in (private_i, private_r))
    return Identity(private_i, public_r), Identity(private_r, public_i)


def record(row: Row) -> dict[str, bytes]:
    suite_name = row.suite
    dice_i, dice_r = (Dice(f"penstock {suite_name} {side}") for side in "IR")
    identity_i, identity_r = identities(row)
    key_file = Dice(f"penstock {suite_name} key file")(32)
    role = keys.role_keys(key_file, *NAMES)
    chosen = suite(suite_name)
    offer = [chosen, *(one for one in SUITES.values() if one is not chosen)][:3]
    i = Initiator(role, offer, OURS, dice_i, identity=identity_i)
    r = Responder(role, [chosen], THEIRS, dice_r, EPOCH, identity_r)
    sent = [i.message_1]
    sent.append(r.receive(sent[0], ADDRESS, 0).message)
    sent.append(i.receive(sent[1]).message)
    answer = r.receive(sent[2], ADDRESS, 3)
    sent.append(answer.message)
    session = i.receive(sent[3]).session
    assert session.id == answer.session.id and session.secret == answer.session.secret
    nonce_i, private_i = dice_i.given
    cookie_secret, nonce_r, private_r = dice_r.given
    return {
        "key_file": key_file,
        "initiator": NAMES[0].encode(),
        "responder": NAMES[1].encode(),
        "nonce_i": nonce_i,
        "private_i": private_i,
        "nonce_r": nonce_r,
        "private_r": private_r,
        "cookie_secret": cookie_secret,
        "epoch": EPOCH.to_bytes(4, "big"),
        "route": ADDRESS.encode(),
        **identified(session, identity_i, identity_r),
        "suite": chosen.number.to_bytes(2, "big"),
        "parameters_i": session.ours.encode(),
        "parameters_r": session.theirs.encode(),
        **derived(key_file, role, nonce_i, nonce_r),
        **exchanged(session, role, sent, private_i, nonce_i, nonce_r),
        "tag": bytes([session.agreed.tag]),
        "frame_size": session.agreed.frame.to_bytes(2, "big"),
        **frames(session, answer.session),
    }


def identified(
    session: Session, identity_i: Identity | None, identity_r: Identity | None
) -> dict[str, bytes]:
    if identity_i is None or identity_r is None:
        return {}
    shown_i, shown_r = session.ours.identity, session.theirs.identity
    return {
        "identity_i": identity_i.private,
        "identity_r": identity_r.private,
        "pk_i": shown_i[:KEY_SIZE],
        "pk_r": shown_r[:KEY_SIZE],
        "sig_i": shown_i[KEY_SIZE:],
        "sig_r": shown_r[KEY_SIZE:],
    }


def derived(
    key_file: bytes, role: keys.RoleKeys, nonce_i: bytes, nonce_r: bytes
) -> dict[str, bytes]:
    nonce_keys = keys.nonce_keys(role.p, nonce_i, nonce_r)
    return {
        "K": keys.sha256(key_file),
        "P": role.p,
        "key_id": role.key_id,
        "k1": role.k1,
        "k2": role.k2,
        "dhmac_i": nonce_keys.dhmac_i,
        "dhmac_r": nonce_keys.dhmac_r,
        "k3": nonce_keys.k3,
    }


def exchanged(
    session: Session,
    role: keys.RoleKeys,
    sent: list[bytes],
    private_i: bytes,
    nonce_i: bytes,
    nonce_r: bytes,
) -> dict[str, bytes]:
    three, four = messages.Message3.decode(sent[2]), messages.Message4.decode(sent[3])
    exchange = session.suite.exchange
    y_i, y_r = three.y_i[: exchange.public_size], four.y_r[: exchange.public_size]
    shared = exchange.shared(private_i, y_r)
    assert keys.session_secret(role.p, nonce_i, nonce_r, shared) == session.secret
    h1 = keys.sha256(sent[0])
    t2 = messages.transcript(h1, sent[1])
    t3 = messages.transcript(t2, sent[2])
    return {
        "message_1": sent[0],
        "h1": h1,
        "cookie": three.cookie,
        "message_2": sent[1],
        "t2": t2,
        "y_i": y_i,
        "sealed_i": three.sealed,
        "message_3": sent[2],
        "t3": t3,
        "y_r": y_r,
        "shared": shared,
        "secret": session.secret,
        "k4": keys.key_4(session.secret, t3, y_r),
        "sealed_r": four.sealed,
        "message_4": sent[3],
        "t4": session.id,
    }


def frames(i: Session, r: Session) -> dict[str, bytes]:
    """The keys of every SA, and the second frame of each (sequence 1)."""
    fields = {}
    for direction, (sender, receiver) in enumerate(((i, r), (r, i))):
        for lane in range(sender.ours.lanes):
            name = f"{direction}_{lane}"
            encrypt, mac = sender.sa_keys(direction, lane)
            sealer = sender.sealer(lane)
            packet = blocks.Block(blocks.ETHERNET, bytes(range(60 + lane)))
            [text] = blocks.pack([packet], sealer.text_size)
            sealer.seal(text)
            frame = sealer.seal(text)
            assert receiver.opener(lane).open(frame) == text
            fields |= {f"encrypt_{name}": encrypt} | ({f"mac_{name}": mac} if mac else {})
            fields |= {f"text_{name}": text, f"frame_{name}": frame}
    return fields


def text(row: Row) -> str:
    return "".join(f"{name} {value.hex()}\n" for name, value in record(row).items())


def file_name(row: Row) -> str:
    return f"handshake_{row.name}.txt"


if __name__ == "__main__":
    for row in ROWS:
        (HERE / file_name(row)).write_text(text(row))
