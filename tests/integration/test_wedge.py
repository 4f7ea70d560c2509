"""Packets whose segmentation the kernel cannot describe to a packet socket.

Left alone, one such packet jams a receive ring for good: the kernel (as of 6.18) marks the slot
as being filled, finds no virtio-net header for the packet, drops it, and forgets the mark.
"""

import fcntl
import os
import struct

import pytest

from lab.errors import wait_until
from lab.network import HOST_B
from lab.pair import Wish
from lab.raw import ETHERTYPE_LAB, RawPort, ethernet, mac
from test_offload import LAB_MAC, NEEDS_CSUM, from_lab, receive_from_lab, unfinished_udp

GSO_UFO, GSO_UDP_L4 = 3, 5
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
JAM_LINE = "jammed the receive ring of interface guest"


class Guest:
    """A tap in a site's namespace. Its far end, a virtual machine's as a rule, is us."""

    def __init__(self, namespace):
        with namespace.entered():
            self._tap = os.open("/dev/net/tun", os.O_RDWR)
            name = struct.pack("16sH22x", b"guest", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
            fcntl.ioctl(self._tap, TUNSETIFF, name)
            namespace.run("ip", "link", "set", "guest", "mtu", "9216", "up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._tap)

    def send(self, packet, vnet=(0, 0, 0, 0, 0, 0)):
        os.write(self._tap, struct.pack("<BBHHHH", *vnet) + packet)


@pytest.fixture
def guest_and_ear(fresh):
    pair = fresh(Wish(plain=("af_packet:guest", "af_packet:plain")))
    with Guest(pair.network.site_a) as guest:
        pair.network.site_a.sysctl("net.ipv6.conf.guest.disable_ipv6", 1)
        pair.start()
        with RawPort(pair.network.host_b, "eth0", offload=True) as ear:
            yield pair, guest, ear
        pair.stop()


def large_udp(kind):
    """Two thousand bytes, to be sent as fragments or as datagrams of a thousand."""
    return unfinished_udp(bytes(2000)), (NEEDS_CSUM, kind, 42, 1000, 34, 6)


def plain_packet(number):
    return ethernet(mac(HOST_B.mac), LAB_MAC, ETHERTYPE_LAB, number.to_bytes(100, "big"))


def crosses(guest, ear, number):
    guest.send(plain_packet(number))
    received = ear.receive_with_offload(0.2)
    return from_lab(received) and received[1] == plain_packet(number)


def test_a_port_recovers_from_packets_that_jam_its_ring(guest_and_ear):
    pair, guest, ear = guest_and_ear
    number = iter(range(1000))
    wait_until(lambda: crosses(guest, ear, next(number)), "the first packet to cross")
    for _ in range(3):
        guest.send(*large_udp(GSO_UFO))
        assert not crosses(guest, ear, next(number)), "the packet did not jam the ring"
        wait_until(lambda: crosses(guest, ear, next(number)), "traffic to recover", 20)
        ear.drain()
    assert pair.a.log().count(JAM_LINE) == 1, "one line a minute"
    assert pair.a.counters()["plain_kernel_drop"] >= 6


def test_segments_of_udp_cross_whole(guest_and_ear):
    pair, guest, ear = guest_and_ear
    packet, vnet = large_udp(GSO_UDP_L4)
    guest.send(packet, vnet)
    received = receive_from_lab(ear)
    assert received is not None
    offload, arrived = received
    assert arrived == packet
    assert (offload[1], offload[3]) == (GSO_UDP_L4, 1000)
    assert JAM_LINE not in pair.a.log()
