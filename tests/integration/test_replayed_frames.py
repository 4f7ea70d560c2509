"""Frames that come twice, late or in disorder: each counts once, and order is kept."""

import contextlib
import random

import pytest

from lab.attack import (
    delivered,
    delivered_already,
    held_up,
    lab_packets,
    nothing_suffered,
    only_dropped,
    under_attack,
    wait_for_arrivals,
    withheld_frames,
)
from lab.errors import wait_until
from lab.inject import Injector, overhear
from lab.network import HOST_B
from lab.raw import RawPort
from lab.traffic import ping, shout


def test_every_frame_twice(pair):
    attack = under_attack(pair, lambda frame: [frame, frame])
    nothing_suffered(attack)
    only_dropped(attack, replayed=attack.seen)


def test_frames_replayed_later(pair):
    recorded = []

    def policy(frame):
        again = list(recorded)
        recorded.append(frame)
        return [*again, frame]

    attack = under_attack(pair, policy)
    nothing_suffered(attack)
    only_dropped(attack, replayed=attack.seen * (attack.seen - 1) // 2)


def test_frames_older_than_the_window(pair):
    network = pair.network
    old = overhear(network, "a", 3, lambda: ping(network.host_a, HOST_B.v4, 5))
    pair.settle()
    opened = pair.b.counters()["frames_opened"]
    letters = [b"%d" % number for number in range(1000)]

    def window_has_passed() -> bool:
        shout(network.host_a, network.host_b, HOST_B.v4, letters, 5000)
        return pair.b.counters()["frames_opened"] >= opened + 4096 + 64

    wait_until(window_has_passed, "more frames than the window is wide", 100)
    before = pair.b.counters()
    with Injector(network, "b") as wire:
        wire.send(old)
    wait_until(lambda: pair.b.counters().since(before)["too_old"] >= 3, "the old frames to come", 20)
    assert pair.b.counters().since(before).dropped() == {"too_old": 3}


@contextlib.contextmanager
def interference(pair, packets):
    """Frames of `packets` that nobody has seen, an ear at host B, and a way to put them before B."""
    with (
        withheld_frames(pair, packets) as frames,
        RawPort(pair.network.host_b, "eth0") as ear,
        Injector(pair.network, "b") as wire,
    ):
        yield frames, ear, wire


def test_two_copies_in_one_batch_are_one_frame_and_one_replay(pair):
    packets = lab_packets(1)
    with interference(pair, packets) as (frames, ear, wire):
        before = pair.b.counters()
        with held_up(pair.b):
            wire.send(3 * frames)
        assert delivered(ear, 1) == packets
        wait_for_arrivals(pair, before, 3 * len(frames))
        assert delivered_already(ear) == []
    assert pair.b.counters().since(before).dropped() == {"replayed": 2 * len(frames)}


@pytest.mark.parametrize("seed", range(3))
def test_reordered_frames_come_out_in_order(pair, seed):
    packets = lab_packets(20)
    with interference(pair, packets) as (frames, ear, wire):
        random.Random(seed).shuffle(frames)
        before = pair.b.counters()
        with held_up(pair.b):
            wire.send(frames)
        assert delivered(ear, len(packets)) == packets
    assert pair.b.counters().since(before).dropped() == {}


def test_a_lost_frame_costs_only_its_own_packets(pair):
    packets = lab_packets(10)
    with interference(pair, packets) as (frames, ear, wire):
        lost = frames.pop(4)
        wire.send(frames)
        assert delivered(ear, len(packets) - 1) == packets[:4] + packets[5:]
        before = pair.b.counters()
        wire.send([lost])
        wait_for_arrivals(pair, before, 1)
        assert delivered_already(ear) == []
    assert pair.b.counters().since(before).dropped() == {"late_frame": 1}
