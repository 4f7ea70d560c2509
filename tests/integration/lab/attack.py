"""Traffic with an attacker beside it, and what the receiver made of it all."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

from .errors import wait_until
from .inject import Injector, ManInTheMiddle, Policy
from .network import HOST_B
from .pair import Pair
from .raw import ETHERTYPE_LAB, RawPort, ethernet, mac
from .site import DATA_PLANE, Site, Tally
from .traffic import BackgroundPing, PingResult, ping

LAB_MAC = mac("02:1a:b0:1a:b0:03")  # the source of lab_packets, and of nothing else


@dataclass
class Attack:
    """What B made of it: `seen` frames of A met the man in the middle."""

    ping: PingResult
    seen: int
    sent_in: Tally  # at A
    came_out: Tally  # at B


def under_attack(pair: Pair, policy: Policy, count: int = 25) -> Attack:
    """Host A pings host B while `policy` decides what becomes of each of A's frames."""
    with ManInTheMiddle(pair.network, "a", policy) as middle:
        before_a, before_b = middle.arm_after(pair.settle)
        result = ping(pair.network.host_a, HOST_B.v4, count)
        after_a, after_b = middle.disarm_after(pair.settle)
    return Attack(result, middle.seen, after_a.since(before_a), after_b.since(before_b))


def nothing_suffered(attack: Attack) -> None:
    """Every packet came out once, and no other did."""
    assert attack.ping.loss_percent == 0
    assert attack.seen > 0
    assert attack.came_out["delivered"] == attack.sent_in["plain_received"]
    assert attack.came_out["frames_opened"] == attack.seen


def only_dropped(attack: Attack, **expected: int) -> None:
    dropped = attack.came_out.dropped()
    assert dropped == expected, f"dropped {dropped}, not {expected}"


def beside_live_traffic(pair: Pair, packets: list[bytes], rounds: int = 20) -> Tally:
    """Puts `packets` before B, `rounds` times, while hosts ping and lose nothing; what B counted."""
    pair.settle()
    before = pair.b.counters()
    with Injector(pair.network, "b") as wire:
        with BackgroundPing(pair.network.host_a, HOST_B.v4, 0.02) as live:
            for _ in range(rounds):
                wire.send(packets)
                time.sleep(0.03)  # so that pings stand between the rounds
        pair.settle()
    assert live.result is not None and live.result.sent > 0
    assert live.lost() == 0
    return pair.b.counters().since(before)


# --- packets that are told apart, and the frames they travel in ------------------------------


def lab_packets(count: int) -> list[bytes]:
    return [
        ethernet(mac("02:00:00:00:0b:01"), LAB_MAC, ETHERTYPE_LAB, bytes([number]) * 100)
        for number in range(count)
    ]


def delivered(ear: RawPort, count: int) -> list[bytes]:
    """The next `count` lab packets to come."""
    return ear.collect(lambda packet: packet[6:12] == LAB_MAC, count)


def delivered_already(ear: RawPort) -> list[bytes]:
    return [packet for packet in ear.drain() if packet[6:12] == LAB_MAC]


@contextlib.contextmanager
def withheld_frames(pair: Pair, packets: list[bytes]) -> Iterator[list[bytes]]:
    """The frames A makes of `packets`, one each. Nothing of A reaches B during the block."""
    frames: list[bytes] = []

    def withhold(frame: bytes) -> list[bytes]:
        frames.append(frame)
        return []

    with (
        RawPort(pair.network.host_a, "eth0") as mouth,
        ManInTheMiddle(pair.network, "a", withhold) as middle,
    ):
        middle.arm_after(pair.settle)
        while True:
            frames.clear()
            before = pair.a.counters()
            for number, packet in enumerate(packets, 1):
                mouth.send(packet)
                wait_until(lambda: len(frames) >= number, "a frame of A", 10)
            made = pair.a.counters().since(before)
            if made["dummy_frames"] == 0 and made["packed"] == len(packets) == len(frames):
                break  # else a keepalive, or a packet of A's own, stands among them: lost, again
        yield list(frames)


@contextlib.contextmanager
def held_up(site: Site) -> Iterator[None]:
    """The data plane sleeps through the block, and then finds everything waiting at once."""
    pid = site.pid_of(DATA_PLANE)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def wait_for_arrivals(pair: Pair, before: Tally, count: int) -> None:
    """Until B has received `count` more packets from the wire than `before`."""
    wait_until(
        lambda: pair.b.counters().since(before)["wire_received"] >= count,
        f"{count} packets to arrive at B",
        20,
    )
    pair.settle()
