"""A wire that loses, copies, reorders and delays frames, and what the hosts make of it."""

import pytest

from lab.impairment import BadPath, Harm
from lab.ledger import Ear, speak_both_ways, transfer
from lab.network import HOST_A, HOST_B
from lab.pair import Wish
from lab.traffic import ping, stream

MEGABYTE = 1 << 20
PATIENCE = 240  # seconds for a transfer that takes one to ten
# What a bad path may cost, by name: nothing of it is a fault of a site.
EXPECTED = {
    "replayed", "too_old", "late_frame", "incomplete_packet", "no_session", "unknown_spi",
    "wire_kernel_drop", "plain_kernel_drop",
}  # fmt: skip
# Both sites and the path are asked one after the other; a quiet link still sends keepalives.
UNDER_WAY = 5
FRAME_HOLDS = 7  # packets that one frame touches, at most, of the datagrams that we send


class Crossing:
    """What both sites and the path counted during the block, each direction's books compared."""

    def __init__(self, pair, path):
        self.pair, self.path = pair, path

    def __enter__(self):
        self.pair.settle()
        self._before = self._read()
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            return
        self.path.heal()
        self.path.settle()
        self.pair.settle()
        now = self._read()
        (a, b), tolls = (
            [site.since(before) for site, before in zip(now[0], self._before[0], strict=True)],
            {side: now[1][side] - self._before[1][side] for side in ("a", "b")},
        )
        self.ways = {"b": (a, tolls["b"], b), "a": (b, tolls["a"], a)}

    def _read(self):
        sites = [site.counters() for site in self.pair.sites]
        return sites, {side: self.path.toll(side) for side in ("a", "b")}

    def check(self):
        for sender, toll, receiver in self.ways.values():
            assert toll.seen + toll.duplicated == toll.delivered + toll.vanished - toll.kernel_dropped
            # Beside frames a site sends ARP and handshakes, which the main core counts later.
            assert toll.seen + toll.kernel_dropped >= sender["frames_sent"] - UNDER_WAY
            assert receiver["frames_opened"] <= sender["frames_sent"] + UNDER_WAY
            arrived = receiver["wire_received"] + receiver["wire_kernel_drop"]
            assert receiver["wire_received"] <= toll.delivered + UNDER_WAY
            assert arrived >= toll.delivered - UNDER_WAY
            assert receiver["replayed"] <= toll.duplicated
            assert set(receiver.dropped()) <= EXPECTED
        self.pair.check_books()

    def frames_missing(self, towards):
        """That never came, or came when their place had been given up."""
        _, toll, receiver = self.ways[towards]
        late = ("late_frame", "too_old", "wire_kernel_drop")
        return toll.vanished + sum(receiver[name] for name in late)


@pytest.fixture
def bad(pair):
    with BadPath(pair.network) as path:
        # A host may send the packets that waited for ARP behind those that no longer had to.
        assert ping(pair.network.host_a, HOST_B.v4, 2).received == 2
        assert ping(pair.network.host_b, HOST_A.v4, 2).received == 2
        yield pair, path
        path.heal()
        path.settle()
        assert ping(pair.network.host_a, HOST_B.v4, 5).received == 5


# --- numbered datagrams: nothing twice, nothing invented, what is missing is explained ---------

LOSS = Harm(loss=0.02)
EVERYTHING = Harm(loss=0.01, burst_enter=0.001, burst_leave=0.2, duplicate=0.05, reorder=0.1,
                  reorder_distance=64, delay=2000, jitter=500)  # fmt: skip


@pytest.mark.parametrize(
    "harm",
    [
        LOSS,
        Harm(burst_enter=0.002, burst_leave=0.1),
        Harm(duplicate=0.2),
        Harm(reorder=0.2, reorder_distance=64),
        Harm(delay=10_000, jitter=500),
        EVERYTHING,
    ],
    ids=["loss", "bursts", "copies", "reordering", "delay", "everything"],
)
def test_what_comes_out_is_a_subsequence_of_what_went_in(bad, harm):
    pair, path = bad
    host_a, host_b = pair.network.host_a, pair.network.host_b
    with Ear(host_a, HOST_A.v4) as at_a, Ear(host_b, HOST_B.v4) as at_b:
        with Crossing(pair, path) as crossing:
            path.harm(harm)
            speak_both_ways([(host_a, at_b), (host_b, at_a)], 2000)
        heard = {"a": at_a.heard(), "b": at_b.heard()}
    crossing.check()
    for towards, (sender, toll, receiver) in crossing.ways.items():
        numbers = heard[towards]
        assert numbers == sorted(set(numbers)), "in order, nothing twice"
        missing = 2000 - len(numbers)
        elsewhere = sender["plain_kernel_drop"] + receiver["plain_kernel_drop"]
        assert missing <= FRAME_HOLDS * crossing.frames_missing(towards) + elsewhere
        for name, chance in (
            ("lost", harm.loss + harm.burst_enter), ("duplicated", harm.duplicate),
            ("reordered", harm.reorder),
        ):  # fmt: skip
            assert (getattr(toll, name) > 0) == (chance > 0)
    assert sum(map(len, heard.values())) > 1000


# --- TCP, as hosts speak it ------------------------------------------------------------------


@pytest.mark.parametrize(
    "harm",
    [
        Harm(loss=0.001),
        LOSS,
        Harm(reorder=0.1, reorder_distance=64),
        Harm(duplicate=0.1, delay=5000, jitter=1000),
        Harm(rate=50_000_000, queue=60_000),
    ],
    ids=["0.1 %", "2 %", "reordering", "copies and delay", "bottleneck"],
)
def test_a_stream_flows(bad, harm):
    pair, path = bad
    with Crossing(pair, path) as crossing:
        path.harm(harm)
        assert stream(pair.network.host_a, pair.network.host_b, HOST_B.v4, 1.5).mbps > 0
    crossing.check()
    assert crossing.ways["b"][2]["delivered"] > 100


@pytest.mark.parametrize("percent", [5, 10, 20])
def test_a_megabyte_arrives_whole(bad, percent, full):
    if percent == 20 and not full:
        pytest.skip("takes minutes: a fifth of all frames touches a third of all segments")
    pair, path = bad
    host_a, host_b = pair.network.host_a, pair.network.host_b
    with Crossing(pair, path) as crossing:
        path.harm(Harm(loss=percent / 100))
        transfer(host_a, host_b, HOST_B.v4, MEGABYTE, 10 * PATIENCE if full else PATIENCE)
    crossing.check()
    assert crossing.ways["b"][1].lost > 0


def test_a_megabyte_comes_back_from_a_path_in_bursts(bad):
    pair, path = bad
    with Crossing(pair, path) as crossing:
        path.harm(Harm(burst_enter=0.005, burst_leave=0.2, burst_loss=0.8))
        transfer(pair.network.host_b, pair.network.host_a, HOST_A.v6, MEGABYTE, PATIENCE)
    crossing.check()


# --- the path's own limits -------------------------------------------------------------------


def test_small_frames_pass_when_the_path_shrinks(fresh):
    pair = fresh(Wish(link={"frame_size": 1200})).start()
    with BadPath(pair.network) as path, Crossing(pair, path) as crossing:
        assert ping(pair.network.host_a, HOST_B.v4, 10, 4000).received == 10
        path.harm(Harm(mtu=1280))
        assert ping(pair.network.host_a, HOST_B.v4, 10, 4000).received == 10
        transfer(pair.network.host_a, pair.network.host_b, HOST_B.v4, MEGABYTE, PATIENCE)
    crossing.check()
    assert crossing.ways["b"][1].too_long == crossing.ways["a"][1].too_long == 0


def test_frames_too_long_for_the_path_vanish_and_traffic_is_there_when_it_grows(bad):
    pair, path = bad
    with Crossing(pair, path) as crossing:
        path.harm(Harm(mtu=1280))
        assert ping(pair.network.host_a, HOST_B.v4, 5, options=("-w", "1")).received == 0
        path.heal()
        assert ping(pair.network.host_a, HOST_B.v4, 5).received == 5
    crossing.check()
    assert crossing.ways["b"][1].too_long > 0
