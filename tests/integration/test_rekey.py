"""A rekey every half second, under traffic in both directions, loses nothing."""

import random
import time

from lab.network import HOST_A, HOST_B
from lab.pair import Wish
from lab.traffic import BackgroundPing, shout, stream


def test_rekeys_under_traffic_lose_nothing(fresh, full):
    seconds = 60 if full else 15
    wanted = 100 if full else 25
    pair = fresh(Wish(link={"rekey_after": "500ms"})).start()
    network = pair.network
    pair.settle()
    before = [site.counters() for site in pair.sites]
    rekeys = pair.a.link()["handshakes_completed"]
    chance = random.Random(0)
    letters = [b"%d " % number + bytes(chance.randrange(1300)) for number in range(2000)]

    with (
        BackgroundPing(network.host_a, HOST_B.v4, 0.005) as there,
        BackgroundPing(network.host_b, HOST_A.v6, 0.005) as back,
    ):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert shout(network.host_a, network.host_b, HOST_B.v4, letters) == len(letters)
            assert shout(network.host_b, network.host_a, HOST_A.v4, letters) == len(letters)
    pair.settle()

    tally = [site.counters().since(then) for site, then in zip(pair.sites, before)]
    assert there.result.sent > 100 and there.lost() == 0
    assert back.result.sent > 100 and back.lost() == 0
    assert [each.dropped() for each in tally] == [{}, {}]
    assert tally[0]["plain_received"] == tally[1]["delivered"]
    assert tally[1]["plain_received"] == tally[0]["delivered"]
    assert pair.a.link()["handshakes_completed"] - rekeys >= wanted


def test_a_tcp_stream_survives_rekeys(fresh):
    pair = fresh(Wish(link={"rekey_after": "500ms"})).start()
    rekeys = pair.a.link()["handshakes_completed"]
    assert stream(pair.network.host_a, pair.network.host_b, HOST_B.v4, 5).mbps > 10
    assert pair.a.link()["handshakes_completed"] > rekeys + 3


def test_an_idle_link_rekeys_too_and_nobody_sees_it(fresh):
    pair = fresh(Wish(link={"rekey_after": "500ms"})).start()
    first = pair.a.session()["id"]
    completed = pair.a.link()["handshakes_completed"]
    deadline = time.monotonic() + 50
    with pair.eavesdropper() as ears:
        while pair.a.link()["handshakes_completed"] < completed + 5 and time.monotonic() < deadline:
            time.sleep(0.2)
        report = ears.report()
    assert pair.a.link()["handshakes_completed"] >= completed + 5
    assert report.missed == 0 and report.handshakes == {}, "a rekey shows nothing on the wire"
    assert len(report.data_sizes) == 1
    pair.wait_up()
    assert pair.a.session()["id"] != first
    for site in pair.sites:
        # Before the first session, and before penstockd is connected.
        assert site.counters().dropped().keys() <= {"no_session", "no_controller"}
