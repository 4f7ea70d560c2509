"""Forged handshake messages, as many as the machine makes, before a site that serves others."""

import time

import pytest

from lab.errors import wait_until
from lab.flood import Flood, forgeries, overhearing_handshakes
from lab.network import HOST_B
from lab.site import CONTROL_PLANE, DATA_PLANE, resident_megabytes
from lab.traffic import BackgroundPing

# What a flood may cost besides: its own messages, by the budgets' names.
BUDGETS = {
    "handshake_full", "stranger_full", "controller_slow", "wire_kernel_drop", "bad_handshake",
}  # fmt: skip
MEGABYTES = 8  # of growth; a leak of one message in a hundred would be more


@pytest.fixture
def flooded(fresh):
    """A pair, and what is sent before its site A."""
    pair = fresh()
    with overhearing_handshakes(pair.network, "b") as heard:
        pair.start()
    assert {packet[42] for packet in heard} & {1, 3}, "the real messages that are sent again"
    return pair, forgeries(pair, heard)


def test_a_rightful_site_gets_its_session_and_others_keep_theirs(flooded):
    pair, packets = flooded
    processes = [pair.a.pid_of(name) for name in (CONTROL_PLANE, DATA_PLANE)]
    before, memory = pair.a.counters(), [resident_megabytes(pid) for pid in processes]
    with Flood(pair.network, "a", packets, 4, 100_000) as flood:
        with BackgroundPing(pair.network.host_a, HOST_B.v4, 0.01) as pings:
            time.sleep(1)
        assert pings.lost() == 0
        pair.b.stop()
        pair.b.start()
        pair.b.wait_up()
        sent = flood.result()
    assert sent.sent > 10_000
    after = pair.a.counters().since(before)
    assert after["stranger_full"] > 0 and after["handshake_full"] + after["punted"] > 0
    assert set(after.dropped()) <= BUDGETS | {"unknown_spi", "no_session"}
    for pid, earlier in zip(processes, memory, strict=True):
        assert resident_megabytes(pid) < earlier + MEGABYTES
    wait_until(pair.a.is_up, "A's session to be whole")
