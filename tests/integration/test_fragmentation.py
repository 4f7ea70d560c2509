"""Packets far longer than a frame, and frames far longer than a packet: all come out whole."""

import pytest

from lab.network import Plan
from lab.pair import Wish
from test_transparency import TO_A, TO_B, crossing, lab_packet

LONGEST = 9216  # with an Ethernet header of 14; the MTU of the hosts has 14 more


def lengths(frame_size):
    """Around every multiple of a frame's room, for any tag and header; and the longest."""
    room = frame_size - 36  # header 16, tag 16, first and flags 4
    around = [n + d for n in range(room, LONGEST, max(room, 1500)) for d in (-5, -4, -3, 0, 1)]
    return [14, 60, 64, *around, LONGEST - 1, LONGEST, LONGEST + 14]


@pytest.mark.parametrize("frame_size, wire_mtu", [(256, 1500), (1472, 1500), (8972, 9000)])
def test_packets_of_any_length_cross_frames_of_any_size(fresh, frame_size, wire_mtu):
    plan = Plan(host_mtu=LONGEST, wire_mtu=wire_mtu)
    pair = fresh(Wish(plan=plan, link={"frame_size": frame_size})).start()
    assert pair.a.session()["frame_size"] == frame_size
    for sender, to in (("a", TO_B), ("b", TO_A)):
        packets = [lab_packet(length, to) for length in lengths(frame_size)]
        assert crossing(pair, packets, sender) == packets
