"""Two data planes with scripted controllers at their doors: real ports, real packets, no
handshake. What the control plane relies on is shown here without it."""

import os
from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("scripted_planes")
pytest_plugins = ["scripted_planes"]

from lab.errors import wait_until
from lab.network import HOST_A, HOST_B
from lab.traffic import BackgroundPing, ping, shout, stream
from scripted_controller import (
    BAD_PARAMETERS, INSTALLED, RESPONDER, SEEN_BEFORE, SLOT_TAKEN, WRONG_BOOT, ScriptedController,
)  # fmt: skip
from scripted_dataplane import (
    BY_CONTROLLER, CONFIRMED, HEADER, MAX_AGE, REMOVED, REPLACED, STATE_CURRENT, UNCONFIRMED,
)  # fmt: skip
from scripted_planes import install

SECOND = 10**9
# X25519 with another protection than the usual one.
AES128, SHA384, GCM, CHACHA20, NULL = 0x0102, 0x0103, 0x0104, 0x0105, 0x01FF


# --- the door ------------------------------------------------------------------------------


def test_hello_says_what_this_data_plane_is(sites):
    a, _ = sites
    assert a.hello.is_accepted == 1
    assert a.hello.max_frame_size == 1472  # the wire's MTU of 1500 without IPv4 and UDP
    assert a.hello.lanes == 1
    assert a.hello.takes_offload == 1
    assert a.hello.isa in ("x86-64-v2", "x86-64-v4")
    assert "ipsec-mb" in a.hello.engine
    for protection, way in a.hello.engine_protections.items():
        assert way, protection


def test_there_is_one_controller(sites):
    a, _ = sites
    second = ScriptedController(a.socket)
    assert second.is_dropped()
    assert a.controller.sessions() == []  # the first is still served


def test_an_install_is_checked(sites):
    a, _ = sites
    plan = a.plan()
    assert a.controller.install(plan, boot_id=bytes(16)) == WRONG_BOOT
    for changes in (
        {"link": 1024}, {"vlan": 4095}, {"frame_size": 1473}, {"frame_size": 255},
        {"tag": 11}, {"tag": 33}, {"suite": 0}, {"lanes": 0}, {"lanes": 65}, {"local_spi": 0}, {"local_spi": 65},
        {"remote_spi": 0}, {"peer": "203.0.113.1"}, {"role": 2},
        {"suite": SHA384, "tag": 49}, {"suite": GCM, "tag": 12}, {"suite": CHACHA20, "tag": 17},
        {"suite": NULL, "tag": 0},  # this is no lab
    ):  # fmt: skip
        assert a.controller.install(a.plan(**changes)) == BAD_PARAMETERS, changes
    assert a.controller.install(plan) == INSTALLED
    assert a.controller.install(plan) == SEEN_BEFORE
    assert a.controller.install(a.plan(local_spi=plan.local_spi | 1 << 20)) == SLOT_TAKEN
    assert a.controller.remove(plan.id) == 1
    assert a.controller.wait_event(REMOVED, plan.id).detail == BY_CONTROLLER
    assert a.controller.remove(plan.id) == 0
    assert a.controller.install(plan) == SEEN_BEFORE  # for as long as this process lives


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(HEADER.pack(99, 0, 1), id="unknown type"),
        pytest.param(HEADER.pack(3, 0, 1), id="short install"),
        pytest.param(b"\x01", id="no header"),
    ],
)
def test_a_controller_that_breaks_the_contract_is_dropped(sites, network, message):
    a, b = sites
    plan = install(a, b)
    a.controller.socket.send(message)
    assert a.controller.is_dropped()
    assert ping(network.host_a, HOST_B.v4).loss_percent == 0
    a.connect()
    assert [session.id for session in a.controller.sessions()] == [plan.id]


# --- traffic ----------------------------------------------------------------------------------


def test_nothing_crosses_without_a_session(sites, network):
    a, _ = sites
    before = a.controller.tally()
    assert ping(network.host_a, HOST_B.v4, count=3, options=("-w", "2")).loss_percent == 100
    tally = a.controller.tally().since(before)
    assert tally["no_session"] == tally["plain_received"] > 0
    assert tally["frames_sent"] == 0


def test_packets_cross(sites, network):
    a, b = sites
    install(a, b)
    assert ping(network.host_a, HOST_B.v4, count=50).loss_percent == 0
    assert ping(network.host_b, HOST_A.v6, count=50).loss_percent == 0
    assert ping(network.host_a, HOST_B.v4, count=10, size=20000).loss_percent == 0
    payloads = [bytes([n % 256]) * (n % 1400 + 1) for n in range(2000)]
    assert shout(network.host_a, network.host_b, HOST_B.v4, payloads) == len(payloads)
    assert stream(network.host_a, network.host_b, HOST_B.v4, seconds=3).mbps > 0
    assert stream(network.host_a, network.host_b, HOST_B.v4, seconds=3, reverse=True).mbps > 0
    for plane in (a, b):
        (session,) = plane.controller.sessions()
        tally = plane.controller.tally()
        assert session.state == STATE_CURRENT
        assert session.failed_opens == tally["bad_tag"] == 0
        assert session.frames_opened > 1000


@pytest.mark.parametrize(
    "changes",
    [
        {"frame_size": 256}, {"tag": 32}, {"takes_offload": 0}, {"suite": AES128, "tag": 12},
        {"suite": SHA384, "tag": 48}, {"suite": GCM, "frame_size": 257}, {"suite": CHACHA20},
    ],
)  # fmt: skip
def test_sessions_of_other_shapes_carry_packets(sites, network, changes):
    a, b = sites
    install(a, b, **changes)
    assert ping(network.host_a, HOST_B.v4, count=20, size=5000).loss_percent == 0
    payloads = [os.urandom(1000) for _ in range(200)]
    assert shout(network.host_b, network.host_a, HOST_A.v4, payloads) == len(payloads)


def test_many_lanes_are_received(sites, network):
    a, b = sites
    plan = a.plan(lanes=64)
    assert b.controller.install(plan.mirrored(b.peer)) == INSTALLED
    assert a.controller.install(plan) == INSTALLED
    a.controller.wait_event(CONFIRMED, plan.id)
    assert ping(network.host_a, HOST_B.v4).loss_percent == 0


# --- the life of sessions ------------------------------------------------------------------------


def test_traffic_outlives_the_controller(sites, network):
    a, b = sites
    plan = install(a, b)
    with BackgroundPing(network.host_a, HOST_B.v4) as pings:
        a.controller.close()
        b.controller.close()
        assert ping(network.host_b, HOST_A.v4, count=50).loss_percent == 0
        a.connect()
        b.connect()
    assert pings.lost() == 0
    for plane in (a, b):
        (session,) = plane.controller.sessions()
        assert (session.id, session.state) == (plan.id, STATE_CURRENT)


def test_a_rekey_loses_nothing_and_the_old_session_retires(sites, network):
    a, b = sites
    spis = [(0x00100000 + slot * 64, 0x00300000 + slot * 64) for slot in range(1, 12)]
    plans = []
    with BackgroundPing(network.host_a, HOST_B.v4, interval=0.002) as pings:
        for local, remote in spis:
            plans.append(install(a, b, local_spi=local, remote_spi=remote))
            enough = a.controller.tally()["delivered"] + 20
            wait_until(
                lambda: a.controller.tally()["delivered"] >= enough, "answers on the new session"
            )
    assert pings.lost() == 0
    for plane in (a, b):
        for plan in plans[:-1]:
            assert plane.controller.wait_event(REMOVED, plan.id).detail == REPLACED
        (session,) = plane.controller.sessions()
        assert (session.id, session.state) == (plans[-1].id, STATE_CURRENT)
    assert ping(network.host_a, HOST_B.v4).loss_percent == 0


def test_an_unconfirmed_session_displaces_nothing_and_is_dropped(sites, network):
    a, b = sites
    living = install(a, b)
    lonely = a.plan(local_spi=0x005000C0, remote_spi=0x006000C0)
    assert a.controller.install(lonely) == INSTALLED
    with BackgroundPing(network.host_a, HOST_B.v4) as pings:
        assert a.controller.wait_event(REMOVED, lonely.id).detail == UNCONFIRMED
    assert pings.lost() == 0
    assert [session.id for session in a.controller.sessions()] == [living.id]
    assert b.controller.tally()["unknown_spi"] > 0  # the dummies that nobody answered


def test_a_session_has_an_end(sites, network):
    a, b = sites
    plan = a.plan(max_age_ns=3 * SECOND)
    assert b.controller.install(plan.mirrored(b.peer)) == INSTALLED
    assert a.controller.install(plan) == INSTALLED
    for plane in (a, b):
        assert plane.controller.wait_event(REMOVED, plan.id).detail == MAX_AGE
    assert ping(network.host_a, HOST_B.v4, count=3, options=("-w", "2")).loss_percent == 100


# --- the endpoint ------------------------------------------------------------------------------------


@pytest.fixture
def stranger(network) -> Iterator[str]:
    """An address of somebody else on the wire: the switch's own."""
    network.wire.run("ip", "address", "replace", "192.0.2.77/24", "dev", "switch")
    yield "192.0.2.77"
    network.wire.run("ip", "address", "flush", "dev", "switch")


def test_the_wire_address_answers_arp_and_ping(sites, network, stranger):
    a, b = sites
    for plane in (a, b):
        network.wire.attempt("ip", "neighbour", "flush", "dev", "switch")
        assert ping(network.wire, plane.address, count=5).loss_percent == 0
        assert ping(network.wire, plane.address, count=5, size=1400).loss_percent == 0
        own = plane.site.namespace.run("cat", "/sys/class/net/wire/address").strip()
        assert own in network.wire.run("ip", "neighbour", "show", plane.address)


def test_handshakes_go_up_and_down(sites):
    a, b = sites
    message = bytes([1, 1, 0, 0]) + os.urandom(1020)
    a.controller.inject(a.peer, 7670, message)
    came_from = b.controller.wait_punt(message)
    assert came_from[:4] == bytes(map(int, a.address.split(".")))
    assert int.from_bytes(came_from[16:18], "little") == 7670
    answer = bytes([2, 1, 0, 0]) + os.urandom(1020)
    b.controller.inject(b.peer, 7670, answer)
    a.controller.wait_punt(answer)


def test_handshakes_travel_inside_a_session(sites):
    a, b = sites
    session = install(a, b).id
    before = b.controller.tally()
    message = bytes([1, 1, 0, 0]) + os.urandom(1020)
    a.controller.inject_inside(session, message)
    assert b.controller.wait_inside(message) == session
    answer = bytes([2, 1, 0, 0]) + os.urandom(1020)
    b.controller.inject_inside(session, answer)
    assert a.controller.wait_inside(answer) == session
    assert b.controller.tally().since(before)["punted"] == 0, "nothing came in the clear"


def test_the_responder_alone_never_speaks_first(sites):
    a, b = sites
    plan = b.plan(role=RESPONDER)
    before = b.controller.tally()
    assert b.controller.install(plan) == INSTALLED
    assert b.controller.wait_event(REMOVED, plan.id).detail == UNCONFIRMED
    assert b.controller.tally().since(before)["frames_sealed"] == 0
