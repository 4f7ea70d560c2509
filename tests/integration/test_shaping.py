"""A link whose frames leave in a rhythm: what the wire carries, what crosses, what is lost."""

import random
import time

from lab.network import HOST_A, HOST_B
from lab.pair import Pair, Wish
from lab.site import CONTROL_PLANE
from lab.traffic import BackgroundPing, ping, shout, stream

RATE = 2000  # frames a second
CONSTANT = {"shape": {"mode": "constant", "rate": f"{RATE}fps", "queue": "1s"}}


def ticks(pair: Pair) -> tuple[float, list[int]]:
    """When it was, and how many ticks each site had until then."""
    tallies = [site.counters() for site in pair.sites]
    return time.monotonic(), [
        tally["frames_sent"] + tally["ticks_missed"] + tally.drops["wire_tx_full"]
        for tally in tallies
    ]


def test_an_idle_wire_carries_the_rhythm_and_traffic_changes_nothing_on_it(fresh):
    pair = fresh(Wish(link=CONSTANT)).start()
    network = pair.network
    with pair.eavesdropper() as ears:
        began, before = ticks(pair)
        time.sleep(3)
        idle, then = ticks(pair)
        assert ping(network.host_a, HOST_B.v4, 50).loss_percent == 0
        assert ping(network.host_b, HOST_A.v6, 50, size=8000).loss_percent == 0
        assert stream(network.host_a, network.host_b, HOST_B.v4, 3).mbps > 1
        ended, after = ticks(pair)
        report = ears.report()
    # By the clock, whatever else runs here: what was too late was counted.
    for first, middle, last in zip(before, then, after):
        assert 0.8 < (middle - first) / (idle - began) / RATE < 1.2
        assert 0.8 < (last - middle) / (ended - idle) / RATE < 1.2
    assert report.handshakes == {} and len(report.data_sizes) == 1
    assert report.plaintext_seen == 0 and report.else_seen == {}


def test_rekeys_in_the_rhythm_lose_nothing(fresh):
    pair = fresh(Wish(link=CONSTANT | {"rekey_after": "500ms"})).start()
    network = pair.network
    before = [site.counters() for site in pair.sites]
    rekeys = pair.a.link()["handshakes_completed"]
    chance = random.Random(0)
    letters = [b"%d " % number + bytes(chance.randrange(1300)) for number in range(1500)]
    deadline = time.monotonic() + 60
    with BackgroundPing(network.host_b, HOST_A.v6, 0.02) as back:
        while pair.a.link()["handshakes_completed"] < rekeys + 6 and time.monotonic() < deadline:
            assert shout(network.host_a, network.host_b, HOST_B.v4, letters, 500) == len(letters)
    assert pair.a.link()["handshakes_completed"] >= rekeys + 6
    assert back.result.sent > 20 and back.lost() == 0
    tally = [site.counters().since(then) for site, then in zip(pair.sites, before)]
    assert [each.drops["incomplete_packet"] for each in tally] == [0, 0]


def test_the_rhythm_goes_on_while_the_control_plane_is_replaced(fresh):
    pair = fresh(Wish(link=CONSTANT)).start()
    session = pair.a.session()["id"]
    began, before = ticks(pair)
    with BackgroundPing(pair.network.host_a, HOST_B.v4, 0.02) as across:
        pair.a.kill(CONTROL_PLANE)
        time.sleep(2)
        pair.wait_up()
    ended, after = ticks(pair)
    assert across.result.sent > 20 and across.lost() == 0
    assert pair.a.session()["id"] == session
    assert 0.8 < (after[0] - before[0]) / (ended - began) / RATE < 1.2
