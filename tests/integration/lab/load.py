"""An even stream of packets from host A to host B, and what site A's counters made of it."""

import subprocess
import time
from dataclasses import dataclass

from .errors import LabError
from .namespaces import Namespace
from .pair import Pair
from .programs import program
from .site import Tally

TRAFFIC = {
    "64": [64],
    "IMIX": [64, 570, 64, 64, 570, 64, 1500, 64, 570, 64, 64, 570],  # 7:4:1
    "1500": [1500],
}


@dataclass(frozen=True)
class Carried:
    """What the counters of `penstock status` say of the stream at its sender's site."""

    packed: int
    frames: int  # with packets in them
    packets_a_frame: float
    fill: float  # packet bytes of the frames' room for blocks
    frame_fill: float  # packet bytes of all of the frames
    padding: float  # of the frames' room for blocks

    @staticmethod
    def of(tally: Tally, frame_size: int) -> "Carried":
        frames = tally["frames_sealed"] - tally["dummy_frames"]
        # Dummies are all padding, and no part of the stream.
        room = tally["payload_bytes"] + tally["padding_bytes"]
        dummies = tally["dummy_frames"] * room // max(1, tally["frames_sealed"])
        return Carried(
            tally["packed"],
            frames,
            tally["packed"] / max(1, frames),
            tally["packed_bytes"] / max(1, room - dummies),
            tally["packed_bytes"] / max(1, frames * frame_size),
            (tally["padding_bytes"] - dummies) / max(1, room - dummies),
        )


@dataclass(frozen=True)
class Stream:
    """One stream's end: `delivered` packets came, half of them within `half_us` and so on."""

    sent_a_second: float
    dropped: dict[str, int]  # by name, at site A
    carried: Carried
    delivered: int
    half_us: float
    late_us: float  # 99 % came within this


def run_stream(pair: Pair, sizes: list[int], rate: int, seconds: float) -> Stream:
    """`rate` packets a second, of these sizes in turn; 0: as fast as the host can."""
    pair.settle()
    frame_size = pair.a.session()["frame_size"]
    before = pair.a.counters()
    with _spawn(pair.network.host_b, "receive", "eth0", str(seconds + 1)) as receiver:
        assert receiver.stdout
        if receiver.stdout.readline() != "ready\n":
            raise LabError("the receiver of the load did not start")
        with _spawn(
            pair.network.host_a, "send", "eth0", str(seconds), str(rate), *map(str, sizes)
        ) as sender:
            sent = int(sender.communicate(timeout=seconds + 60)[0])
        delivered, half, late = map(int, receiver.communicate(timeout=60)[0].split())
    time.sleep(0.2)  # until what is open has left, whatever the hold
    tally = pair.a.counters().since(before)
    return Stream(
        sent / seconds, tally.dropped(), Carried.of(tally, frame_size), delivered,
        half / 1000, late / 1000,
    )  # fmt: skip


def _spawn(host: Namespace, *arguments: str) -> subprocess.Popen[str]:
    return host.spawn(
        program("tests/integration/load/penstock-load"), *arguments,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
