"""Forged, damaged and cut frames: counted by name, nothing delivered, traffic does not suffer."""

import random

from lab.attack import nothing_suffered, only_dropped, under_attack
from lab.inject import flipped, payload_of, replaced, with_payload
from lab.network import HOST_A, HOST_B
from lab.raw import RawPort, mac
from lab.traffic import ping

TYPE, VERSION, ZERO, SPI, SEQUENCE, CIPHERTEXT = 0, 1, 2, 4, 8, 16


def test_a_bit_flipped_anywhere_behind_the_header(pair):
    size = pair.a.session()["frame_size"]
    tag = pair.a.session()["tag"]
    edges = [CIPHERTEXT, CIPHERTEXT + 1, size - tag - 1, size - tag, size - tag + 1, size - 1]
    chance = random.Random(1)

    def policy(frame):
        places = edges + [chance.randrange(CIPHERTEXT, size) for _ in range(6)]
        return [*(flipped(frame, place, chance.randrange(8)) for place in places), frame]

    attack = under_attack(pair, policy)
    nothing_suffered(attack)
    only_dropped(attack, bad_tag=12 * attack.seen)


def test_a_forged_sequence_number_does_not_move_the_window(pair):
    """Far ahead, it would make every honest frame too old, were it believed before the MAC."""

    def policy(frame):  # only of the upper half: no session of a test numbers as many frames
        ahead = [flipped(frame, SEQUENCE + byte, bit) for byte in range(4) for bit in (0, 7)]
        return [*ahead, frame]

    attack = under_attack(pair, policy)
    nothing_suffered(attack)
    only_dropped(attack, bad_tag=8 * attack.seen)


def test_every_bit_of_the_spi(pair):
    def policy(frame):
        return [*(flipped(frame, SPI + bit // 8, bit % 8) for bit in range(32)), frame]

    attack = under_attack(pair, policy)
    nothing_suffered(attack)
    only_dropped(attack, unknown_spi=32 * attack.seen)


def test_an_spi_of_zero(pair):
    attack = under_attack(pair, lambda frame: [replaced(frame, SPI, bytes(4)), frame])
    nothing_suffered(attack)
    only_dropped(attack, bad_header=attack.seen)


def test_types_that_do_not_exist(pair):
    types = [0, 7, 8, 9, 64, 127, 128, 254, 255]
    attack = under_attack(
        pair, lambda frame: [*(replaced(frame, TYPE, bytes([kind])) for kind in types), frame]
    )
    nothing_suffered(attack)
    only_dropped(attack, bad_type=len(types) * attack.seen)


def test_other_versions(pair):
    versions = [0, 2, 3, 128, 255]
    attack = under_attack(
        pair, lambda frame: [*(replaced(frame, VERSION, bytes([n])) for n in versions), frame]
    )
    nothing_suffered(attack)
    only_dropped(attack, bad_version=len(versions) * attack.seen)


def test_the_zero_field_is_zero(pair):
    attack = under_attack(
        pair, lambda frame: [*(flipped(frame, ZERO + i // 8, i % 8) for i in range(16)), frame]
    )
    nothing_suffered(attack)
    only_dropped(attack, bad_header=16 * attack.seen)


def test_truncated_and_oversized_frames(pair):
    size = pair.a.session()["frame_size"] - 200  # so that the longest fit the wire
    lengths = [1, 2, 3, 4, 8, 15, 16, 17, 31, 32, 33, 100, size]

    def policy(frame):
        payload = payload_of(frame)
        short = [with_payload(frame, payload[:length]) for length in lengths]
        return [*short, with_payload(frame, payload[:-1]), frame]

    attack = under_attack(pair, policy)
    nothing_suffered(attack)
    only_dropped(attack, bad_length=(len(lengths) + 1) * attack.seen)


def test_mutated_frames_by_the_thousand(pair, full):
    chance = random.Random(20)

    def mutate(frame):
        payload = bytearray(payload_of(frame))
        for _ in range(chance.randrange(1, 4)):
            payload[chance.randrange(len(payload))] = chance.randrange(256)
        if chance.random() < 0.3:
            del payload[chance.randrange(1, len(payload)) :]
        return with_payload(frame, bytes(payload))

    def policy(frame):
        return [*(mutate(frame) for _ in range(40)), frame]

    session = pair.b.session()["id"]
    attack = under_attack(pair, policy, count=500 if full else 50)
    assert attack.ping.loss_percent == 0
    assert attack.came_out["delivered"] == attack.sent_in["plain_received"]
    assert pair.b.session()["id"] == session


def test_nothing_of_it_reaches_a_host(pair):
    """The strictest reading of `nothing delivered`: host B's own cable."""
    known = {mac(HOST_A.mac), mac(HOST_B.mac)}
    with RawPort(pair.network.host_b, "eth0") as ear:
        under_attack(pair, lambda frame: [flipped(frame, 99), frame, frame, flipped(frame, 3)])
        strangers = [packet.hex() for packet in ear.drain() if packet[6:12] not in known]
    assert strangers == []
    assert ping(pair.network.host_b, HOST_A.v4).loss_percent == 0
