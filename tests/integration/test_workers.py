"""Sites with several workers, as many as one likes and not the far side's number: flows keep their
order, sessions are the same for all workers, and a flood is survived."""

import collections
import subprocess
import time

import pytest

from lab.datagram import UDP_PORT, find_udp, is_data_frame
from lab.errors import wait_until
from lab.flows import Letters, converse
from lab.network import HOST_A, HOST_B
from lab.pair import Wish
from lab.programs import program
from lab.raw import RawPort
from lab.site import CONTROL_PLANE
from lab.traffic import ping
from test_shaping import ticks

RATE = 2000  # frames a second
# What a machine that is busy with other things may cost: the kernel's queues run full before a site
# that has no processor, and packets that were in those frames are incomplete.
LATE = {"plain_kernel_drop", "wire_kernel_drop", "incomplete_packet"}
# Where a site that is given too much may lose packets, and what the far side cannot put together.
OVERLOAD = {
    "plain_kernel_drop", "wire_kernel_drop", "wire_tx_full", "plain_tx_full", "mesh_full",
    "no_buffer", "incomplete_packet",
}  # fmt: skip


def workers(a, b, **link):
    return Wish(site={"workers": a}, site_b={"workers": b}, link={"rekey_after": "3000s"} | link)


def lanes_on_the_wire(pair, sender):
    """Of the frames that a site sent while it was listened to: by lane and source port."""
    return collections.Counter(
        (int.from_bytes(packet[found.payload_at + 7 : found.payload_at + 8], "big") & 63,
         found.source_port)
        for packet in sender.drain()
        if is_data_frame(packet) and (found := find_udp(packet))
    )  # fmt: skip


@pytest.mark.parametrize("count", [(2, 1), (2, 3)], ids=["2-1", "2-3"])
def test_many_flows_keep_their_order_and_nothing_is_lost(fresh, count):
    pair = fresh(workers(*count)).start()
    a, b = pair.network.host_a, pair.network.host_b
    for site, (ours, theirs) in zip(pair.sites, (count, count[::-1])):
        assert (site.session()["lanes_out"], site.session()["lanes_in"]) == (ours, theirs)
    pair.settle()
    before = [site.counters() for site in pair.sites]
    with RawPort(pair.network.wire, "port-a") as of_a, RawPort(pair.network.wire, "port-b") as of_b:
        with Letters(a, b, HOST_B.v4, 16, 1000) as there, Letters(b, a, HOST_A.v6, 16, 1000) as back:
            time.sleep(1.5)
        seen = [lanes_on_the_wire(pair, port) for port in (of_a, of_b)]
    assert min(there.heard.sent + back.heard.sent) > 10
    nothing_lost_unseen(pair, before, there, back)
    # Each worker sends on a lane of its own, and each lane leaves from a port of its own.
    for lanes, number in zip(seen, count):
        assert set(lanes) == {(lane, UDP_PORT + lane) for lane in range(number)}
    assert all(converse(a, b, HOST_B.v4, 8, 1 << 20))
    assert all(converse(b, a, HOST_A.v6, 8, 1 << 20))
    assert ping(a, HOST_B.v4, 20).loss_percent == 0
    assert ping(a, HOST_B.v4, 10, 20000).loss_percent == 0  # fragments
    assert ping(b, HOST_A.v6, 10, 20000).loss_percent == 0
    pair.settle()
    for site, then in zip(pair.sites, before):
        assert set(site.counters().since(then).dropped()) <= LATE


def nothing_lost_unseen(pair, before, *letters, late=frozenset()):
    """In order, all of them; but for what the kernel dropped before a site that got no processor
    for so long, and what is `late` on such a machine besides."""
    pair.settle()
    dropped = [site.counters().since(then).dropped() for site, then in zip(pair.sites, before)]
    assert set(dropped[0]) | set(dropped[1]) <= LATE | late
    for each in letters:
        assert each.heard.not_in_order == 0
        assert each.heard.lost == 0 or dropped != [{}, {}]


def test_rekeys_and_a_new_control_plane_lose_nothing(fresh):
    pair = fresh(workers(2, 3)).start()
    a, b = pair.network.host_a, pair.network.host_b
    pair.settle()
    before = [site.counters() for site in pair.sites]
    with Letters(a, b, HOST_B.v4, 12, 500) as there, Letters(b, a, HOST_A.v4, 12, 500) as back:
        for _ in range(3):
            rekey(pair)
        session = pair.a.session()["id"]
        dead = pair.a.kill(CONTROL_PLANE)
        wait_until(lambda: pair.a.pid_of(CONTROL_PLANE) not in (0, dead), "a new penstockd")
        pair.wait_up()
        assert pair.a.session()["id"] == session
        rekey(pair)
    nothing_lost_unseen(pair, before, there, back)


def rekey(pair):
    first = pair.a.session()["id"]
    pair.a.ask_rekey()
    wait_until(
        lambda: all(site.session().get("id", first) != first for site in pair.sites),
        "another session",
    )


def test_the_rate_of_a_link_is_split_between_its_lanes(fresh):
    shape = {"mode": "constant", "rate": f"{RATE}fps", "queue": "1s"}
    pair = fresh(workers(2, 1, shape=shape)).start()
    began, before = ticks(pair)
    with RawPort(pair.network.wire, "port-a") as of_a:
        with Letters(pair.network.host_a, pair.network.host_b, HOST_B.v4, 8, 300) as letters:
            time.sleep(2)
        lanes = lanes_on_the_wire(pair, of_a)
    ended, after = ticks(pair)
    assert letters.heard.not_in_order == 0
    # By the clock, whatever else runs here: what was too late was counted.
    for first, last in zip(before, after):
        assert 0.8 < (last - first) / (ended - began) / RATE < 1.2
    assert set(lanes) == {(0, UDP_PORT), (1, UDP_PORT + 1)}
    for frames in lanes.values():
        assert frames < 0.6 * RATE * (ended - began)


def test_all_workers_forget_their_keys_by_order(fresh):
    pair = fresh(workers(3, 2)).start()
    said = command(pair.a, "zeroize")
    assert said.returncode == 0, said.stderr
    assert "the data plane wiped the keys of 1 session\n" in said.stdout
    assert pair.a.link()["state"] == "down"
    assert ping(pair.network.host_a, HOST_B.v4, 1, options=("-w", "1")).received == 0
    said = command(pair.a, "reload")
    assert said.returncode == 0, said.stderr
    pair.wait_up()
    assert ping(pair.network.host_a, HOST_B.v4, 20).loss_percent == 0


def command(site, *words):
    return site.namespace.attempt(
        program("penstock"), *words, "--socket", str(site.run_dir / "admin.sock")
    )


def test_what_is_too_much_is_dropped_by_name_and_the_site_lives(fresh):
    pair = fresh(workers(2, 2)).start()
    pair.settle()
    before = [site.counters() for site in pair.sites]
    flood = pair.network.host_a.spawn(
        program("tests/integration/load/penstock-load"), "send", "eth0", "100", "0", "64", "1500",
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(2):
            rekey(pair)
        assert flood.poll() is None, "the flood goes on all the while"
    finally:
        flood.kill()
        flood.wait(60)
    pair.settle()
    dropped = [site.counters().since(then).dropped() for site, then in zip(pair.sites, before)]
    assert dropped[0] or dropped[1]
    assert set(dropped[0]) | set(dropped[1]) <= OVERLOAD
    assert ping(pair.network.host_a, HOST_B.v4, 50).loss_percent == 0
    before = [site.counters() for site in pair.sites]
    with Letters(pair.network.host_a, pair.network.host_b, HOST_B.v4, 8, 500) as letters:
        time.sleep(0.5)
    nothing_lost_unseen(pair, before, letters)
