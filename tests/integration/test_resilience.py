"""Processes die; the link fails closed, and comes back by itself."""

import contextlib
import json
import os
import signal

from lab.errors import wait_until
from lab.network import HOST_A, HOST_B
from lab.pair import Wish
from lab.site import CONTROL_PLANE, DATA_PLANE
from lab.traffic import ping


def test_traffic_goes_on_without_the_control_plane(pair):
    session = pair.a.session()["id"]
    pair.settle()
    before = [site.counters() for site in pair.sites]
    with nobody_restarts(pair):
        dead = [site.kill(CONTROL_PLANE) for site in pair.sites]
        assert ping(pair.network.host_a, HOST_B.v4, 50).loss_percent == 0
        assert [site.status() for site in pair.sites] == [None, None]
    for site, pid in zip(pair.sites, dead):
        wait_until(lambda: site.pid_of(CONTROL_PLANE) not in (0, pid), "a new penstockd")
    pair.wait_up()
    for site, then in zip(pair.sites, before):
        assert site.session()["id"] == session  # learned from the data plane
        assert site.counters().since(then).dropped() == {}


@contextlib.contextmanager
def nobody_restarts(pair):
    """`penstock run` sleeps on both sites: what dies stays dead through the block."""
    for site in pair.sites:
        os.kill(site.supervisor, signal.SIGSTOP)
    try:
        yield
    finally:
        for site in pair.sites:
            os.kill(site.supervisor, signal.SIGCONT)


def test_a_rekey_works_after_the_control_plane_came_back(pair):
    first = pair.a.session()["id"]
    dead = pair.a.kill(CONTROL_PLANE)
    wait_until(lambda: pair.a.pid_of(CONTROL_PLANE) not in (0, dead), "a new penstockd")
    pair.wait_up()
    pair.a.ask_rekey()
    wait_until(
        lambda: all(site.session().get("id", first) != first for site in pair.sites),
        "another session",
    )
    assert ping(pair.network.host_a, HOST_B.v4).loss_percent == 0


def test_the_data_plane_is_restarted_on_a_new_session(fresh):
    pair = fresh().start()
    for victim in pair.sites:
        first = pair.a.session()["id"]
        boot = victim.status()["data_plane"]["boot_id"]
        victim.kill(DATA_PLANE)
        wait_until(lambda: both_on_another_session(pair, first), "a session after the kill", 150)
        assert ping(pair.network.host_a, HOST_B.v4).loss_percent == 0
        assert ping(pair.network.host_b, HOST_A.v6).loss_percent == 0
        assert victim.status()["data_plane"]["boot_id"] != boot


def both_on_another_session(pair, first):
    ids = {site.session().get("id") for site in pair.sites}
    return len(ids) == 1 and not ids & {None, first}


def test_a_port_that_vanishes_is_taken_again_when_it_is_back(fresh):
    pair = fresh().start()
    pair.network.remove_host_a()
    wait_until(
        lambda: "there is no network interface plain" in pair.a.log_tail(),
        "a start that misses the port",
    )
    pair.network.bring_host_a_back()
    pair.wait_up()
    assert ping(pair.network.host_a, HOST_B.v4).loss_percent == 0


def test_a_clean_stop_leaves_nothing_behind(fresh):
    pair = fresh()
    site = pair.a.namespace
    before = traces(site)
    pair.start()
    assert "netdev" in site.run("nft", "list", "ruleset")
    assert traces(site) != before
    assert pair.a.stop() == 0
    assert pair.b.stop() == 0
    assert traces(site) == before
    assert not pair.a.run_dir.exists() or not list(pair.a.run_dir.glob("*.sock"))


def traces(site):
    """What a site changes in its machine while it runs."""
    links = [
        {key: link.get(key) for key in ("ifname", "flags", "mtu", "promiscuity", "address")}
        for link in json.loads(site.run("ip", "-d", "-j", "link"))
    ]
    ipv6 = [
        site.run("cat", f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6")
        for name in ("plain", "wire")
    ]
    return site.run("nft", "list", "ruleset"), links, ipv6


def test_without_a_peer_nothing_leaves(fresh):
    pair = fresh()
    with pair.eavesdropper() as ears:
        pair.a.start()
        wait_until(lambda: pair.a.link(), "site A to answer")
        lost = ping(pair.network.host_a, HOST_B.v4, 5, options=("-w", "3"))
        wait_until(lambda: ears.report().packets > 0, "site A to look for its peer")
        report = ears.report()
    assert lost.received == 0
    assert pair.a.counters()["no_session"] > 0
    assert report.data_frames == 0
    assert report.else_seen == {}
    assert set(report.handshakes) <= {1}
    assert report.expected.get("arp", 0) > 0


def test_a_session_ends_by_itself_when_the_peer_is_gone(fresh):
    """max_age is a hard stop: afterwards the link fails closed."""
    pair = fresh(Wish(link={"rekey_after": "2s", "max_age": "4s"})).start()
    assert ping(pair.network.host_a, HOST_B.v4).loss_percent == 0
    pair.b.stop()
    wait_until(lambda: not pair.a.session(), "the session to end", 60)
    before = pair.a.counters()
    with pair.eavesdropper() as ears:
        assert ping(pair.network.host_a, HOST_B.v4, 5, options=("-w", "2")).received == 0
        report = ears.report()
    assert report.data_frames == 0
    assert pair.a.counters().since(before)["no_session"] > 0
    pair.b.start()
    pair.wait_up()
    assert ping(pair.network.host_a, HOST_B.v4).loss_percent == 0


def test_a_peer_that_restarts_is_found_again(fresh):
    pair = fresh().start()
    pair.b.stop()
    pair.b.start()
    pair.wait_up()
    wait_until(
        lambda: pair.a.session().get("id") == pair.b.session().get("id"), "one session", 200
    )
    assert ping(pair.network.host_a, HOST_B.v4).loss_percent == 0
