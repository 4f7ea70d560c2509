"""A link is a cable: every Ethernet packet comes out as it went in, and nothing else does."""

import contextlib
import struct

import pytest

from lab.datagram import checksum
from lab.network import HOST_A, HOST_B
from lab.raw import BROADCAST, ETHERTYPE_LAB, RawPort, ethernet, mac, tagged
from lab.traffic import ping

LAB_MAC = mac("02:1a:b0:1a:b0:01")  # the source of every packet made here, and of no other
TO_B, TO_A = mac(HOST_B.mac), mac(HOST_A.mac)


def crossing(pair, packets, sender="a", count=None):
    """What comes out at the far host of what the near host puts in, in order; the first `count`,
    else as many as went in."""
    near, far = (pair.network.host_a, pair.network.host_b)[:: 1 if sender == "a" else -1]
    with RawPort(near, "eth0") as mouth, RawPort(far, "eth0") as ear:
        for packet in packets:
            mouth.send(packet)
        return ear.collect(lambda packet: packet[6:12] == LAB_MAC, count or len(packets))


def lab_packet(size=60, destination=TO_B, ethertype=ETHERTYPE_LAB):
    """`size` bytes with the Ethernet header, no two bytes next to each other alike."""
    body = bytes((size + 31 * i) & 0xFF for i in range(max(0, size - 14)))
    return ethernet(destination, LAB_MAC, ethertype, body)


@contextlib.contextmanager
def host_mtu(pair, mtu):
    pair.network.set_host_mtu(mtu)
    try:
        yield
    finally:
        pair.network.set_host_mtu(pair.wish.plan.host_mtu)


# --- sizes -----------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["a", "b"])
def test_every_small_size_is_kept(pair, sender):
    packets = [lab_packet(size) for size in range(14, 129)]
    assert crossing(pair, packets, sender) == packets


def test_sizes_around_a_frame_are_kept(pair):
    frame = pair.a.session()["frame_size"]
    with host_mtu(pair, 9000):
        packets = [lab_packet(size) for size in range(frame - 64, frame + 64)]
        packets += [lab_packet(size) for size in range(2 * frame - 64, 2 * frame + 16)]
        assert crossing(pair, packets) == packets


def test_full_and_jumbo_packets_are_kept(pair):
    full = [lab_packet(14 + 1499), lab_packet(14 + 1500)]
    assert crossing(pair, full) == full
    with host_mtu(pair, 9000):
        jumbo = [lab_packet(14 + size) for size in (1501, 4096, 8999, 9000)] * 5
        assert crossing(pair, jumbo) == jumbo


# --- VLAN tags ---------------------------------------------------------------------------

TAGS = {
    "802.1Q": [(0x8100, 0x0005)],
    "802.1Q, priority only": [(0x8100, 0xE000)],
    "802.1Q, all bits": [(0x8100, 0xFFFF)],
    "802.1Q, no bits": [(0x8100, 0x0000)],
    "802.1ad": [(0x88A8, 0x2064)],
    "802.1ad over 802.1Q": [(0x8100, 7), (0x88A8, 9)],
    "802.1Q twice": [(0x8100, 7), (0x8100, 9)],
    "three tags": [(0x8100, 1), (0x8100, 2), (0x88A8, 3)],
    "an old QinQ type": [(0x8100, 7), (0x9100, 9)],
}


@pytest.mark.parametrize("name", TAGS)
@pytest.mark.parametrize("mtu", [1500, 9000])
def test_tags_are_kept_at_full_mtu(pair, name, mtu):
    packets = []
    for size in (60, 14 + mtu - 1, 14 + mtu):
        packet = lab_packet(size)
        for tpid, tci in TAGS[name]:
            packet = tagged(packet, tpid, tci)
        packets.append(packet)
    with host_mtu(pair, mtu + 4 * len(TAGS[name])):
        assert crossing(pair, packets) == packets
        assert crossing(pair, packets, "b") == packets


# --- IPv4 fragments -----------------------------------------------------------------------


def fragments_of(datagram, size=1024):
    """An IPv4 datagram of protocol 253 (for experiments) in fragments, not in order."""
    pieces = []
    for offset in range(0, len(datagram), size):
        piece = datagram[offset : offset + size]
        more = 0x2000 if offset + size < len(datagram) else 0
        header = struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, 20 + len(piece), 0x7670, more | offset // 8, 64, 253, 0,
            bytes([10, 7, 0, 1]), bytes([10, 7, 0, 2]),
        )  # fmt: skip
        header = header[:10] + checksum(header).to_bytes(2, "big") + header[12:]
        pieces.append(ethernet(TO_B, LAB_MAC, 0x0800, header + piece))
    return pieces[1:] + pieces[:1]


def test_fragments_stay_fragments(pair):
    fragments = fragments_of(bytes(range(256)) * 20)
    assert crossing(pair, fragments) == fragments


def test_one_fragment_without_the_others_passes(pair):
    lonely = fragments_of(bytes(4000))[:1]
    assert crossing(pair, lonely) == lonely


# --- what switches would keep to themselves --------------------------------------------------

CONTROL = {
    "spanning tree": ("01:80:c2:00:00:00", 0x0026),
    "LACP": ("01:80:c2:00:00:02", 0x8809),
    "802.1X": ("01:80:c2:00:00:03", 0x888E),
    "LLDP": ("01:80:c2:00:00:0e", 0x88CC),
    "provider bridges": ("01:80:c2:00:00:08", 0x0026),
    "MVRP": ("01:80:c2:00:00:21", 0x88F5),
    "PTP": ("01:80:c2:00:00:0e", 0x88F7),
    "IPv4 multicast": ("01:00:5e:00:00:fb", 0x88B5),
    "IPv6 multicast": ("33:33:00:00:00:01", 0x88B5),
    "Cisco": ("01:00:0c:cc:cc:cc", 0x0026),
    "a stranger's address": ("02:99:99:99:99:99", 0x88B5),
    "broadcast": ("ff:ff:ff:ff:ff:ff", 0x88B5),
}


@pytest.mark.parametrize("name", CONTROL)
def test_multicast_and_link_local_control_pass(pair, name):
    destination, ethertype = CONTROL[name]
    packets = [lab_packet(60, mac(destination), ethertype), lab_packet(119, mac(destination))]
    assert crossing(pair, packets) == packets
    assert crossing(pair, packets, "b") == packets


def test_pause_never_crosses(pair):
    """Else a stalled host could stop the far network's switch."""
    before = pair.a.counters()
    pause = [
        lab_packet(60, mac("01:80:c2:00:00:01"), 0x8808),
        lab_packet(60, TO_B, 0x8808),
        lab_packet(60, BROADCAST, 0x8808),
    ]
    follower = lab_packet(99)
    assert crossing(pair, [*pause, follower], count=1) == [follower]  # order is kept: it was last
    assert pair.a.counters().since(before)["mac_control"] == len(pause)


# --- silence ----------------------------------------------------------------------------------


def test_the_sites_kernels_stay_silent(pair):
    """However one tries to make them speak: addresses, IPv6, pings, questions from outside."""
    network = pair.network
    with (
        pair.eavesdropper() as ears,
        RawPort(network.host_a, "eth0") as host_a,
        RawPort(network.host_b, "eth0") as host_b,
    ):
        for site in (network.site_a, network.site_b):
            provoke(site)
        asked = [ask_for("10.9.0.1"), ask_for("10.9.1.1"), ask_for("10.7.0.77")]
        with RawPort(network.host_a, "eth0") as mouth:
            for question in asked:
                mouth.send(question)
        came = host_b.collect(lambda packet: packet[6:12] == LAB_MAC, len(asked))
        known = {mac(HOST_A.mac), mac(HOST_B.mac), LAB_MAC}
        strangers = [p.hex() for p in host_a.drain() + host_b.drain() if p[6:12] not in known]
        report = ears.report()
        for site in (network.site_a, network.site_b):
            calm(site)
    assert came == asked  # questions cross; nobody on the way answers
    assert strangers == []
    assert report.else_seen == {}
    assert report.missed == 0
    assert ping(network.host_a, HOST_B.v4).loss_percent == 0


def provoke(site):
    for number, interface in enumerate(("plain", "wire")):
        site.sysctl(f"net.ipv6.conf.{interface}.disable_ipv6", 0)
        site.run("ip", "address", "add", f"10.9.{number}.1/24", "dev", interface)
        site.run("ip", "address", "add", f"fd09:{number}::1/64", "dev", interface, "nodad")
        site.attempt("ping", "-c", "2", "-i", "0.1", "-W", "0.2", f"10.9.{number}.2")
        site.attempt("ping", "-c", "2", "-i", "0.1", "-W", "0.2", f"fd09:{number}::2")
        site.attempt("ping", "-c", "2", "-i", "0.1", "-W", "0.2", "-b", f"10.9.{number}.255")


def calm(site):
    for number, interface in enumerate(("plain", "wire")):
        site.attempt("ip", "address", "flush", "dev", interface)
        site.sysctl(f"net.ipv6.conf.{interface}.disable_ipv6", 1)


def ask_for(address):
    """An ARP request, RFC 826, from a host that wants to know."""
    wanted = bytes(int(part) for part in address.split("."))
    asking = LAB_MAC + bytes([10, 9, 0, 9])
    body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + asking + bytes(6) + wanted
    return ethernet(BROADCAST, LAB_MAC, 0x0806, body)
