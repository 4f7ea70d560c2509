"""Somebody records the wire, times and all, and learns to tell what is inside: in constant mode
there is nothing to learn, in burst mode there is plenty."""

import numpy as np
import pytest

from lab.classifier import interleave, judge
from lab.inside import ACTIVITIES, traffic_inside
from lab.network import HOST_B
from lab.pair import Wish
from lab.recorder import Recorder
from lab.wire_features import WINDOW_NS, coarse_looks, read_wire

RATE = 1000  # frames a second
BULK = 2 * RATE * 1500  # bytes a second: twice what the frames carry
SEED = 7670
ARP = 0x0806


@pytest.fixture
def recorded(fresh, tmp_path):
    """`recorded(shape, windows)`: the pair, its wire, and when the hosts did what."""

    def record(shape, windows):
        pair = fresh(Wish(link={"shape": shape})).start()
        for site in pair.sites:
            site.prefer()
        recorder = Recorder(pair.network.wire, ["port-a", "port-b"], tmp_path / "wire")
        hosts = pair.network.host_a, pair.network.host_b
        with traffic_inside(*hosts, HOST_B.v4, BULK) as inside, recorder:
            blocks = interleave(inside, ACTIVITIES, windows, SEED)
        assert recorder.missed == 0
        return pair, read_wire(tmp_path / "wire"), blocks

    return record


def test_constant_mode_looks_the_same_whatever_is_inside(recorded):
    pair, wire, blocks = recorded({"mode": "constant", "rate": f"{RATE}fps"}, 30)
    assert set(wire.columns["ethertype"][~wire.is_frame]) <= {ARP}
    for port in (0, 1):
        frames = wire.frames_of(port)
        for name, column in frames.columns.items():
            if name != "sequence":
                assert len(np.unique(column)) == 1, f"the {name} differs from frame to frame"
        assert (np.diff(frames.columns["sequence"]) == 1).all()
        # Never faster than the clock. One more at the edge, one that is late from before.
        most = RATE * WINDOW_NS // 1_000_000_000 + 2
        for block in blocks:
            assert all(len(frames.between(*window).ns) <= most for window in block.windows())
    for active in ("web", "bulk"):
        assert judge(wire, blocks, coarse_looks, active).auc <= 0.70
    assert pair.b.counters()["delivered"] > 1000, "there was something to hide"


def test_burst_mode_shows_what_is_inside(recorded):
    """The same eavesdropper, so that it is known to work."""
    _, wire, blocks = recorded({"mode": "burst"}, 40)
    for active in ("web", "bulk"):
        assert judge(wire, blocks, coarse_looks, active).auc >= 0.95
