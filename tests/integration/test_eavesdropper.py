"""Somebody records the wire, times and all, and learns to tell what is inside: in burst mode
there is plenty to learn."""

import pytest

from lab.classifier import interleave, judge
from lab.inside import ACTIVITIES, traffic_inside
from lab.network import HOST_B
from lab.pair import Wish
from lab.recorder import Recorder
from lab.wire_features import coarse_looks, read_wire

RATE = 1000  # frames a second
BULK = 2 * RATE * 1500  # bytes a second: twice what the frames carry
SEED = 7670


@pytest.fixture
def recorded(fresh, tmp_path):
    """`recorded(shape, windows)`: the pair, its wire, and when the hosts did what."""

    def record(shape, windows):
        pair = fresh(Wish(link={"shape": shape})).start()
        recorder = Recorder(pair.network.wire, ["port-a", "port-b"], tmp_path / "wire")
        hosts = pair.network.host_a, pair.network.host_b
        with traffic_inside(*hosts, HOST_B.v4, BULK) as inside, recorder:
            blocks = interleave(inside, ACTIVITIES, windows, SEED)
        assert recorder.missed == 0
        return pair, read_wire(tmp_path / "wire"), blocks

    return record


def test_burst_mode_shows_what_is_inside(recorded):
    _, wire, blocks = recorded({"mode": "burst"}, 40)
    for active in ("web", "bulk"):
        assert judge(wire, blocks, coarse_looks, active).auc >= 0.95
