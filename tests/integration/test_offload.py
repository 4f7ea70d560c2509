"""Packets with checksums and segmentation still to do cross the link as they are."""

import socket
import struct

import pytest

from lab.datagram import checksum
from lab.network import HOST_A, HOST_B
from lab.pair import Wish
from lab.raw import RawPort, ethernet, mac, tagged
from lab.traffic import ping, say, stream

NEEDS_CSUM = 1
GSO_NONE, GSO_TCP4 = 0, 1
LAB_MAC = mac("02:1a:b0:1a:b0:02")
DARK_PORT = 9  # discard; the hosts' firewalls do not matter to raw sockets


def from_lab(received):
    return received is not None and received[1][6:12] == LAB_MAC


def receive_from_lab(port, seconds=10.0):
    import time

    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        received = port.receive_with_offload(left)
        if from_lab(received):
            return received
    return None


def ipv4(protocol, body):
    source, destination = socket.inet_aton(HOST_A.v4), socket.inet_aton(HOST_B.v4)
    total = 20 + len(body)
    header = struct.pack(">BBHHHBBH", 0x45, 0, total, 1, 0x4000, 64, protocol, 0)
    header += source + destination
    return header[:10] + checksum(header).to_bytes(2, "big") + header[12:] + body


def pseudo_sum(protocol, length):
    """What the kernel leaves in the checksum field of an unfinished packet."""
    addresses = socket.inet_aton(HOST_A.v4) + socket.inet_aton(HOST_B.v4)
    return ~checksum(addresses + struct.pack(">HH", protocol, length)) & 0xFFFF


def unfinished_udp(body):
    length = 8 + len(body)
    udp = struct.pack(">HHHH", DARK_PORT, DARK_PORT, length, pseudo_sum(17, length)) + body
    return ethernet(mac(HOST_B.mac), LAB_MAC, 0x0800, ipv4(17, udp))


def unfinished_tcp(body):
    length = 20 + len(body)
    tcp = struct.pack(">HHIIBBHHH", DARK_PORT, DARK_PORT, 1, 1, 0x50, 0x10, 512,
                      pseudo_sum(6, length), 0)  # fmt: skip
    return ethernet(mac(HOST_B.mac), LAB_MAC, 0x0800, ipv4(6, tcp + body))


def test_segmentation_stays_undone(pair):
    """A TCP stream between hosts with offloads on arrives in packets larger than the MTU."""
    network = pair.network
    with RawPort(network.host_b, "eth0", offload=True) as ear:
        assert stream(network.host_a, network.host_b, HOST_B.v4, 1).mbps > 1
        large = []
        while (received := ear.receive_with_offload(0)) is not None:
            if len(received[1]) > 1514:
                large.append(received)
    assert large, "no packet larger than the MTU arrived"
    for vnet, packet in large:
        flags, kind, _, size, _, _ = vnet
        assert kind & 0x7F == GSO_TCP4
        assert flags & NEEDS_CSUM
        assert 500 < size <= 1460
        assert packet[12:14] == b"\x08\x00"


def test_an_unfinished_checksum_crosses_unfinished(pair):
    packet = unfinished_udp(b"x" * 300)
    with (
        RawPort(pair.network.host_a, "eth0", offload=True) as mouth,
        RawPort(pair.network.host_b, "eth0", offload=True) as ear,
    ):
        mouth.send_unfinished(packet, (NEEDS_CSUM, GSO_NONE, 0, 0, 34, 6))
        received = receive_from_lab(ear)
    assert received is not None
    vnet, arrived = received
    assert arrived == packet
    assert (vnet[0] & NEEDS_CSUM, vnet[1], vnet[4], vnet[5]) == (NEEDS_CSUM, GSO_NONE, 34, 6)


@pytest.mark.parametrize("tags", [[], [(0x8100, 42)], [(0x8100, 42), (0x88A8, 7)]])
def test_a_large_tcp_packet_crosses_whole(pair, tags):
    packet = unfinished_tcp(bytes(range(250)) * 80)
    for tpid, tci in tags:
        packet = tagged(packet, tpid, tci)
    at = 34 + 4 * len(tags)
    with (
        RawPort(pair.network.host_a, "eth0", offload=True) as mouth,
        RawPort(pair.network.host_b, "eth0", offload=True) as ear,
    ):
        mouth.send_unfinished(packet, (NEEDS_CSUM, GSO_TCP4, at + 20, 1400, at, 16))
        received = receive_from_lab(ear)
    assert received is not None
    vnet, arrived = received
    assert arrived == packet
    assert (vnet[1] & 0x7F, vnet[3]) == (GSO_TCP4, 1400)


def test_the_checksums_hosts_check_are_right(pair):
    """One host finishes everything itself, the other nothing: both must agree."""
    network = pair.network
    network.host_a.run("ethtool", "-K", "eth0", "tx", "off", "rx", "off", "tso", "off", "gso", "off")
    try:
        text = b"0123456789abcdef" * 64
        for address in (HOST_B.v4, HOST_B.v6):
            assert say(network.host_a, network.host_b, address, text, 200) == 200 * len(text)
        for address in (HOST_A.v4, HOST_A.v6):
            assert say(network.host_b, network.host_a, address, text, 200) == 200 * len(text)
    finally:
        network.host_a.run(
            "ethtool", "-K", "eth0", "tx", "on", "rx", "on", "tso", "on", "gso", "on"
        )


def test_a_port_that_cannot_finish_gets_none_of_it(fresh):
    """Never cut, never forwarded unfinished: counted as needs_offload."""
    pair = fresh(Wish(plain=("af_packet:plain", "ethdev:net_af_packet0,iface=plain"))).start()
    network = pair.network
    assert ping(network.host_a, HOST_B.v4).loss_percent == 0
    packet = unfinished_udp(b"y" * 300)
    before = pair.a.counters(), pair.b.counters()
    with (
        RawPort(network.host_a, "eth0", offload=True) as mouth,
        RawPort(network.host_b, "eth0") as ear,
    ):
        for _ in range(5):
            mouth.send_unfinished(packet, (NEEDS_CSUM, GSO_NONE, 0, 0, 34, 6))
        assert ping(network.host_a, HOST_B.v4).loss_percent == 0
        assert not [arrived for arrived in ear.drain() if arrived[6:12] == LAB_MAC]
    counted = [
        site.counters().since(then)["needs_offload"] for site, then in zip(pair.sites, before)
    ]
    assert sum(counted) == 5
