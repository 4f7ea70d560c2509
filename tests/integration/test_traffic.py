"""Ordinary hosts talk; the wire shows frames of one size and nothing of what they say."""

import pytest

from lab.network import HOST_A, HOST_B, Plan
from lab.pair import Wish
from lab.traffic import MARKER, ping, say, shout, stream

X25519 = "X25519-AES256_CTR-SHA256"
MODP2048 = "MODP2048-AES256_CTR-SHA256"


def everyday(pair):
    """Some of everything, between both hosts; all of it must arrive."""
    a, b = pair.network.host_a, pair.network.host_b
    assert ping(a, HOST_B.v4, 20).loss_percent == 0
    assert ping(b, HOST_A.v4, 20).loss_percent == 0
    assert ping(a, HOST_B.v6, 20).loss_percent == 0
    assert ping(a, HOST_B.v4, 10, 5000).loss_percent == 0
    assert say(a, b, HOST_B.v4, MARKER, 5000) == 5000 * len(MARKER)
    assert say(b, a, HOST_A.v6, MARKER, 5000) == 5000 * len(MARKER)
    letters = [b"%d " % number + MARKER * (number % 80) for number in range(500)]
    assert shout(a, b, HOST_B.v4, letters) == len(letters)


def only_frames_seen(report, frame_size):
    assert report.missed == 0
    assert set(report.data_sizes) == {frame_size}
    assert report.else_seen == {}
    assert report.plaintext_seen == 0


def test_ping_and_fragmented_ping(pair):
    a, b = pair.network.host_a, pair.network.host_b
    assert ping(a, HOST_B.v4, 100, interval=0.005).loss_percent == 0
    assert ping(b, HOST_A.v4, 100, interval=0.005).loss_percent == 0
    assert ping(a, HOST_B.v4, 20, 20000).loss_percent == 0
    assert ping(a, HOST_B.v6, 20, 20000).loss_percent == 0
    assert ping(a, HOST_B.v4, 20, 65507).loss_percent == 0


def test_tcp_both_ways(pair):
    a, b = pair.network.host_a, pair.network.host_b
    assert stream(a, b, HOST_B.v4, 2).mbps > 10
    assert stream(a, b, HOST_B.v4, 2, reverse=True).mbps > 10
    assert stream(a, b, HOST_B.v6, 2).mbps > 10


def test_tcp_in_both_directions_at_once(pair):
    a, b = pair.network.host_a, pair.network.host_b
    assert stream(a, b, HOST_B.v4, 2, options=("--bidir",)).mbps > 1


def test_udp_arrives_in_order(pair):
    a, b = pair.network.host_a, pair.network.host_b
    letters = [b"%d " % number + bytes(number % 1400) for number in range(2000)]
    assert shout(a, b, HOST_B.v4, letters) == len(letters)
    assert shout(b, a, HOST_A.v6, letters) == len(letters)


def test_jumbo_packets_cross_a_small_wire(pair):
    pair.network.set_host_mtu(9000)
    try:
        whole = ("-M", "do")
        a, b = pair.network.host_a, pair.network.host_b
        assert ping(a, HOST_B.v4, 20, 9000 - 28, options=whole).loss_percent == 0
        assert ping(b, HOST_A.v6, 20, 9000 - 48, options=whole).loss_percent == 0
        assert stream(a, b, HOST_B.v4, 2).mbps > 10
    finally:
        pair.network.set_host_mtu(1500)


def test_the_wire_shows_one_frame_size(pair):
    with pair.eavesdropper() as ears:
        everyday(pair)
        stream(pair.network.host_a, pair.network.host_b, HOST_B.v4, 2)
        report = ears.report()
    only_frames_seen(report, pair.a.session()["frame_size"])
    assert report.data_frames > 1000


def test_status_tells_the_session(pair):
    everyday(pair)
    ours, theirs = pair.a.session(), pair.b.session()
    assert ours["id"] == theirs["id"]
    assert ours["local_spi"] == theirs["remote_spi"]
    assert ours["remote_spi"] == theirs["local_spi"]
    assert ours["suite"] == theirs["suite"] == X25519
    assert {ours["role"], theirs["role"]} == {"initiator", "responder"}
    assert ours["frames_sealed"] > 0 and ours["frames_opened"] > 0
    assert ours["failed_opens"] == theirs["failed_opens"] == 0


@pytest.mark.parametrize("size", [256, 700])
def test_the_frame_size_is_what_the_config_says(fresh, size):
    pair = fresh(Wish(link={"frame_size": size})).start()
    with pair.eavesdropper() as ears:
        everyday(pair)
        only_frames_seen(ears.report(), size)


def test_the_smaller_of_two_frame_sizes_is_taken(fresh):
    pair = fresh(Wish(link={"frame_size": 1200}, link_b={"frame_size": 600})).start()
    with pair.eavesdropper() as ears:
        everyday(pair)
        only_frames_seen(ears.report(), 600)


def test_a_jumbo_wire_carries_jumbo_frames(fresh):
    pair = fresh(Wish(plan=Plan(wire_mtu=9000))).start()
    with pair.eavesdropper() as ears:
        everyday(pair)
        report = ears.report()
    only_frames_seen(report, pair.a.session()["frame_size"])
    assert pair.a.session()["frame_size"] > 8000


@pytest.mark.parametrize("key_exchange", ["P256", "P384", "MODP2048"])
def test_every_other_key_exchange(fresh, key_exchange):
    suite = f"{key_exchange}-AES256_CTR-SHA256"
    pair = fresh(Wish(link={"suites": [suite]})).start()
    assert pair.a.session()["suite"] == pair.b.session()["suite"] == suite
    everyday(pair)


def test_a_suite_both_speak_is_found(fresh):
    pair = fresh(Wish(link={"suites": [X25519, MODP2048]}, link_b={"suites": [MODP2048]})).start()
    assert pair.a.session()["suite"] == MODP2048


def test_an_ipv6_wire(fresh):
    pair = fresh(Wish(ipv6_wire=True))
    with pair.eavesdropper() as ears:
        pair.start()
        everyday(pair)
        report = ears.report()
    only_frames_seen(report, pair.a.session()["frame_size"])
    assert report.expected.get("neighbour discovery", 0) > 0


def test_a_wire_with_routers(fresh):
    pair = fresh(Wish(plan=Plan(router=True))).start()
    everyday(pair)


def test_longer_tags(fresh):
    pair = fresh(Wish(link={"tag": 32, "min_tag": 32})).start()
    assert pair.a.session()["tag"] == 32
    everyday(pair)
