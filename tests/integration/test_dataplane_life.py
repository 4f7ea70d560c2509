"""What a session does in its life, between two data planes with scripted controllers."""

import pytest

pytest.register_assert_rewrite("scripted_planes")
pytest_plugins = ["scripted_planes"]

from lab.errors import wait_until
from lab.raw import BROADCAST, ETHERTYPE_LAB, RawPort, ethernet
from scripted_controller import INSTALLED, ZEROIZED
from scripted_dataplane import PEER_HEARD, PEER_SILENT, REKEY_WANTED, REMOVED
from scripted_dataplane import ZEROIZED as BY_ZEROIZE
from scripted_planes import DataPlane, install

SECOND = 10**9  # in nanoseconds
SOURCE = bytes.fromhex("02000000f001")


def opened(plane: DataPlane) -> int:
    return plane.controller.tally()["frames_opened"]


def test_an_idle_session_speaks_and_silence_is_told(sites):
    """Nobody sends anything: the keepalives come every 3 s, and A takes 1 s for silence."""
    a, b = sites
    plan = a.plan(dead_after_ns=SECOND)
    far = b.plan(**{key: getattr(plan.mirrored(b.peer), key) for key in plan.__dict__}
                 | {"dead_after_ns": 0})  # fmt: skip
    assert b.controller.install(far) == INSTALLED
    assert a.controller.install(plan) == INSTALLED
    a.controller.wait_event(PEER_SILENT, plan.id)
    assert [one.is_silent for one in a.controller.sessions()] == [1]
    a.controller.wait_event(PEER_HEARD, plan.id)
    assert [one.is_silent for one in b.controller.sessions()] == [0]
    before = opened(a), opened(b)
    wait_until(lambda: opened(a) > before[0] and opened(b) > before[1], "a keepalive each way", 60)
    assert not any(one.kind == PEER_SILENT for one in b.controller.events)


def test_a_rekey_is_wanted_after_the_frames_that_the_install_says(network, sites):
    a, b = sites
    plan = install(a, b, rekey_frames=20)
    with RawPort(network.host_a, "eth0") as port:
        for _ in range(40):
            port.send(ethernet(BROADCAST, SOURCE, ETHERTYPE_LAB, bytes(1400)))
    a.controller.wait_event(REKEY_WANTED, plan.id)


def test_zeroize_ends_everything_and_only_a_new_controller_goes_on(sites):
    a, b = sites
    plans = [
        install(a, b, local_spi=0x00100040 * slot, remote_spi=0x00200080 * slot)
        for slot in (1, 2, 3)
    ]
    count = len(a.controller.sessions())
    assert count == len(plans)
    assert a.controller.zeroize() == count
    for plan in plans:
        assert a.controller.wait_event(REMOVED, plan.id).detail == BY_ZEROIZE
    assert a.controller.sessions() == []
    assert a.controller.install(a.plan()) == ZEROIZED
    for plan in plans:
        b.controller.remove(plan.id)
    a.controller.close()
    a.connect()
    install(a, b)
