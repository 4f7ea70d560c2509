"""Where the frames of a session go when its far side's address changes, or seems to. The far
side is the oracle's: it speaks from docs/protocol.md alone."""

import time

import pytest

pytest.register_assert_rewrite("roaming_ground")
pytest_plugins = ["roaming_ground"]

from lab.network import HOST_A
from lab.raw import BROADCAST, ETHERTYPE_LAB, ethernet, mac
from roaming_ground import endpoint_of
from oracle import blocks, roaming
from scripted_dataplane import PEER_MOVED

LONG = 0.8  # seconds: all three challenges that one frame is worth have left by then


over_ipv4 = pytest.mark.parametrize("_ground", ["IPv4"], indirect=True)  # it makes no difference


def send_packet(ground, number: int) -> bytes:
    packet = ethernet(BROADCAST, mac(HOST_A.mac), ETHERTYPE_LAB, bytes([number]) * 46)
    ground.host.send(packet)
    return packet


def wait_packet(far, packet: bytes):
    """The door that it arrives at."""
    return far.wait_heard(
        lambda heard: blocks.Block(blocks.ETHERNET, packet) in heard.blocks, "a packet"
    ).at


def move(ground, far, door) -> None:
    far.send(door, roaming.response(far.challenge_at(door)))
    moved = ground.plane.controller.wait_event(PEER_MOVED, far.plan.id)
    assert moved.peer == endpoint_of(door)
    ground.plane.controller.events.remove(moved)
    # The worker is told at the same time as the controller.
    assert any(wait_packet(far, send_packet(ground, 100 + n)) is door for n in range(50))


def expect_unmoved(ground, far, seconds: float = LONG) -> None:
    """No challenge, no packet, nothing at all for any address but home."""
    packet = send_packet(ground, 99)
    heard = list(far.heard(seconds))
    assert [one.at for one in heard if one.at is not far.home] == []
    assert any(blocks.Block(blocks.ETHERNET, packet) in one.blocks for one in heard)
    assert ground.goes_to(far) == endpoint_of(far.home)
    assert not [e for e in ground.plane.controller.events if e.kind == PEER_MOVED]


def test_the_far_side_moves_and_moves_on(ground, far):
    doors = [far.door(far.plan.peer), far.door(ground.others[0], 7670), far.door(ground.others[1])]
    for number, door in enumerate([*doors, far.home]):
        move(ground, far, door)
        assert ground.goes_to(far) == endpoint_of(door)
        assert wait_packet(far, send_packet(ground, number)) is door
        list(far.heard(0.1))  # what left before it moved
        far.send(door)
        assert {heard.at for heard in far.heard(0.3)} <= {door}, "the old address is forgotten"


def test_what_proves_nothing_gets_three_times_what_it_sent(ground, far):
    door = far.door(ground.others[0])
    for frames in (1, 10):
        started = time.monotonic()
        for _ in range(frames):
            far.send(door)
        heard = [one for one in far.heard(LONG) if one.at is door]
        assert all(one.challenge for one in heard)
        assert 1 <= len(heard) <= 3 * frames
        assert len(heard) <= (time.monotonic() - started) / 0.25 + 1
        packet = send_packet(ground, frames)
        assert wait_packet(far, packet) is far.home
    assert ground.goes_to(far) == endpoint_of(far.home)


@over_ipv4
def test_captured_frames_sent_from_elsewhere_move_nothing(ground, far):
    for _ in range(20):
        far.send(far.home)
    attacker = far.door(ground.others[0])
    for frame in list(far.sent):
        far.send_raw(attacker, frame)
    expect_unmoved(ground, far)


@over_ipv4
def test_frames_that_come_late_from_elsewhere_move_nothing(ground, far):
    """An attacker that holds frames back instead of copying them."""
    attacker = far.door(ground.others[0])
    [text] = blocks.pack([], far.sealer.text_size)
    held_back = [far.sealer.seal(text) for _ in range(10)]
    far.send(far.home)
    for frame in held_back:
        far.send_raw(attacker, frame)
    expect_unmoved(ground, far)


@over_ipv4
def test_forged_frames_from_elsewhere_move_nothing(ground, far):
    attacker = far.door(ground.others[0])
    frame = bytearray(far.send(far.home))
    frame[15] += 100  # a number that nobody has reached
    far.send_raw(attacker, bytes(frame))
    expect_unmoved(ground, far)


def test_the_answer_must_come_from_the_new_address(ground, far):
    door = far.door(ground.others[0])
    nonce = far.challenge_at(door)
    far.send(far.home, roaming.response(nonce))
    third = far.door(ground.others[1])
    far.send(third, roaming.response(nonce))
    far.send(door, roaming.response(bytes(16)))
    far.send(door, roaming.response(nonce[:-1] + bytes([nonce[-1] ^ 1])))
    assert wait_packet(far, send_packet(ground, 1)) is far.home
    assert ground.goes_to(far) == endpoint_of(far.home)
    assert not [e for e in ground.plane.controller.events if e.kind == PEER_MOVED]
    # And the right one still counts.
    move(ground, far, door)


@over_ipv4
def test_an_answer_to_an_older_challenge_counts_no_more(ground, far):
    door = far.door(ground.others[0])
    move(ground, far, door)
    stale = far.challenge_at(far.home)
    move(ground, far, far.door(ground.others[1]))
    far.send(far.home, roaming.response(stale))
    assert ground.goes_to(far) != endpoint_of(far.home)


@over_ipv4
def test_a_session_that_does_not_roam_is_not_moved(ground):
    far = ground.session(roams=0)
    door = far.door(ground.others[0])
    before = ground.plane.controller.tally()
    for _ in range(10):
        far.send(door)
    expect_unmoved(ground, far)
    far.send(door, roaming.response(bytes(16)))
    assert wait_packet(far, send_packet(ground, 1)) is far.home
    dropped = ground.plane.controller.tally().since(before).dropped()
    assert dropped == {"bad_control": 1}, "its frames are opened as ever"
    far.close()


@pytest.mark.parametrize("roams", [0, 1])
def test_a_site_answers_challenges(ground, roams):
    far = ground.session(roams=roams)
    nonce = bytes(range(16))
    far.send(far.home, roaming.challenge(nonce))
    heard = far.wait_heard(lambda one: one.blocks, "an answer")
    assert heard.at is far.home
    assert heard.blocks == [roaming.response(nonce)]
    far.close()
