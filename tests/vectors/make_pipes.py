#!/usr/bin/python3
"""Writes pipes.txt: every byte and every key of whole handshakes of pipes, and packets each way, by
the oracle in tests/oracle from fixed randomness.

Format: records of "name hex" lines, a blank line between records. Names are docs/protocol.md's; an x
of zeros is that of a side without forward secrecy. `sent_c` and `sent_s` are all that a side sends
before its packets.
"""

import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from oracle.pipe import PUBLIC, Role, Side

FILE = HERE / "pipes.txt"
LENGTHS = (1, 1024, 700)  # of the packets' texts
# Which of C and S have forward secrecy, and a seed. What is agreed in the last one begins with a
# zero byte.
CASES = ((True, True, 0), (True, False, 0), (False, True, 0), (False, False, 0), (True, True, 200))


def record(case: tuple[bool, bool, int]) -> dict[str, bytes]:
    chance = random.Random(f"pipe {case}")
    key_file = chance.randbytes(40)

    def side(role: Role, is_forward: bool) -> Side:
        x = chance.getrandbits(256) if is_forward else 0
        return Side(role, key_file, x, chance.randbytes(32))

    client, server = side(Role.CLIENT, case[0]), side(Role.SERVER, case[1])
    client.peer_nonce, server.peer_nonce = server.nonce, client.nonce
    shared = client.shared(server.exchange())
    assert shared == server.shared(client.exchange())
    fields = {
        "key_file": key_file,
        "x_c": client.x.to_bytes(32, "big"),
        "x_s": server.x.to_bytes(32, "big"),
        "sent_c": client.nonce + client.exchange(),
        "sent_s": server.nonce + server.exchange(),
        "y_sc": shared.to_bytes(PUBLIC, "big"),
    }
    for name, way in zip("cs", client.ways(shared), strict=True):
        fields |= {f"e_{name}": way.encrypt, f"h_{name}": way.mac}
        for number, length in enumerate(LENGTHS):
            text = chance.randbytes(length)
            fields |= {f"text_{name}_{number}": text, f"packet_{name}_{number}": way.seal(text)}
    return fields


def text() -> str:
    records = [record(case) for case in CASES]
    return "\n".join(
        "".join(f"{name} {value.hex()}\n" for name, value in fields.items()) for fields in records
    )


if __name__ == "__main__":
    FILE.write_text(text())
